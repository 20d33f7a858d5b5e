from django.urls import path

from portal.pages.configuration_files import views

urlpatterns = [
    path("configuration/export/", views.configuration_export, name="configuration_export"),
    path("configuration/import/", views.configuration_import, name="configuration_import"),
]
