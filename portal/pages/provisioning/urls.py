from django.urls import path

from portal.pages.provisioning import views

urlpatterns = [
    path("provisioning/", views.provisioning, name="provisioning"),
    path("provisioning/state/", views.provisioning_state, name="provisioning_state"),
    path("provisioning/turn-on/", views.turn_on, name="turn_on"),
    path("provisioning/turn-off/", views.turn_off, name="turn_off"),
    path("provisioning/pause/", views.pause, name="pause"),
    path("provisioning/resume/", views.resume, name="resume"),
    path("provisioning/sync-now/", views.sync_now, name="sync_now"),
    path("provisioning/safety/", views.provisioning_safety, name="provisioning_safety"),
    path("provisioning/preview/", views.preview, name="preview"),
]
