from django.urls import path

from portal.pages.incidents import views

urlpatterns = [
    path("incidents/", views.incidents, name="incidents"),
    path("incidents/<int:pk>/", views.incident, name="incident"),
    path("incidents/<int:pk>/acknowledge/", views.acknowledge, name="incident_acknowledge"),
    path("incidents/<int:pk>/snooze/", views.snooze, name="incident_snooze"),
]
