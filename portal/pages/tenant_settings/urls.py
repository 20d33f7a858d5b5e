from django.urls import path

from portal.pages.tenant_settings import views

urlpatterns = [
    path("settings/", views.tenant_settings, name="tenant_settings"),
    path("settings/delete/", views.tenant_delete, name="tenant_delete"),
]
