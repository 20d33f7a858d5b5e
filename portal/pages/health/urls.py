from django.urls import path

from portal.pages.health import views

urlpatterns = [
    path("settings/health/", views.health, name="health"),
    path("settings/retention/", views.retention, name="retention"),
    path("settings/network/", views.network, name="network"),
]
