from django.urls import path

from portal.pages.tenants import views

urlpatterns = [
    path("t/", views.tenants, name="tenants"),
    path("t/new/", views.tenant_new, name="tenant_new"),
]
