from django.urls import path

from portal.pages.credentials import views

urlpatterns = [
    path("credentials/", views.credentials, name="credentials"),
    path("credentials.ics", views.credentials_file, name="credentials_file"),
]
