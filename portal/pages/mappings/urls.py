from django.urls import path

from portal.frame import converters  # noqa: F401 - registers <plural>
from portal.pages.mappings import reference, views

urlpatterns = [
    path("mappings/recommended/", views.mappings_recommended, name="mappings_recommended"),
    path("mappings/disable-leavers/", views.mappings_disable_leavers, name="mappings_disable_leavers"),
    path("mappings/cast/", views.mappings_cast, name="mappings_cast"),
    path("mappings/expressions/", reference.expression_help, name="expression_help"),
    path("mappings/fields/", reference.aws_fields, name="aws_fields"),
    path("mappings/<plural:plural>/", views.mappings, name="mappings"),
    path("mappings/<plural:plural>/add/", views.mapping_add, name="mapping_add"),
    path("mappings/<plural:plural>/reset/", views.mappings_reset, name="mappings_reset"),
    path("mappings/<plural:plural>/actions/", views.mappings_actions, name="mappings_actions"),
    path("mappings/<plural:plural>/actions/undo/", views.mappings_actions_undo, name="mappings_actions_undo"),
    path("mappings/<plural:plural>/undo/<path:target>/", views.mapping_undo, name="mapping_undo"),
    path("mappings/<plural:plural>/move/<path:target>/", views.mapping_move, name="mapping_move"),
    path("mappings/<plural:plural>/remove/<path:target>/", views.mapping_remove, name="mapping_remove"),
    path("mappings/<plural:plural>/<path:target>/", views.mapping_edit, name="mapping"),
]
