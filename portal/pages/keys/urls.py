from django.urls import path

from portal.pages.keys import views

urlpatterns = [path("settings/keys/", views.keys, name="keys")]
