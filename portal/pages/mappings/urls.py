from django.urls import path

from portal.frame import converters  # noqa: F401 - registers <objects>
from portal.pages.mappings import reference, rows, views

urlpatterns = [
    path("mappings/recommended/", views.mappings_recommended, name="mappings_recommended"),
    path("mappings/disable-leavers/", views.mappings_disable_leavers, name="mappings_disable_leavers"),
    path("mappings/cast/", views.mappings_cast, name="mappings_cast"),
    path("mappings/expressions/", reference.expression_help, name="expression_help"),
    path("mappings/fields/", reference.aws_fields, name="aws_fields"),
    path("mappings/<objects:object_type>/", views.mappings, name="mappings"),
    path("mappings/<objects:object_type>/default/", views.mapping_default, name="mapping_default"),
    path("mappings/<objects:object_type>/add/", rows.mapping_add, name="mapping_add"),
    path("mappings/<objects:object_type>/reset/", views.mappings_reset, name="mappings_reset"),
    path("mappings/<objects:object_type>/actions/", views.mappings_actions, name="mappings_actions"),
    path("mappings/<objects:object_type>/actions/undo/", views.mappings_actions_undo, name="mappings_actions_undo"),
    path("mappings/<objects:object_type>/undo/<path:target>/", rows.mapping_undo, name="mapping_undo"),
    path("mappings/<objects:object_type>/move/<path:target>/", rows.mapping_move, name="mapping_move"),
    path("mappings/<objects:object_type>/remove/<path:target>/", rows.mapping_remove, name="mapping_remove"),
    path("mappings/<objects:object_type>/<path:target>/", rows.mapping_edit, name="mapping"),
]
