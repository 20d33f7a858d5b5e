from django.urls import path

from portal.pages.setup import views

urlpatterns = [
    path("setup/", views.setup, name="setup"),
]
