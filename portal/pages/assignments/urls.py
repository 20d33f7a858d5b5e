from django.urls import path

from portal.frame import converters  # noqa: F401 - registers <kind> and <id>
from portal.pages.assignments import application, group, views

urlpatterns = [
    path("assignments/", views.assignments, name="assignments"),
    path("assignments/assign/", views.assign, name="assign"),
    path("assignments/paste/", views.assign_pasted, name="assign_pasted"),
    path("assignments/undo/", views.assignment_undo, name="assignment_undo"),
    path("assignments/unassign/", views.unassign_ticked, name="unassign_ticked"),
    path("assignments/<kind:kind>/<id:object_id>/change/", views.assignment_change, name="assignment_change"),
    path("assignments/<kind:kind>/<id:object_id>/unassign/", views.unassign, name="unassign"),
    path("assignments/application/", application.application, name="application"),
    path("assignments/application/name/", application.application_name, name="application_name"),
    path("assignments/application/stop/", application.application_stop, name="application_stop"),
    path("groups/<id:object_id>/", group.group, name="group"),
    path("groups/<id:object_id>/leaving/", group.group_leaving, name="group_leaving"),
    path("groups/<id:object_id>/now/", group.group_now, name="group_now"),
]
