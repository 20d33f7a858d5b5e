from django.urls import path

from portal.pages.drift import left, only, views

urlpatterns = [
    path("drift/", views.drift, name="drift"),
    path("drift/compare/", views.drift_compare, name="drift_compare"),
    path("drift/repair/", views.drift_repair, name="drift_repair"),
    path("drift/leave/", left.drift_leave, name="drift_leave"),
    path("drift/left/", left.drift_left, name="drift_left"),
    path("drift/left/<int:pk>/undo/", left.drift_left_undo, name="drift_left_undo"),
    path("drift/only-in-aws/", only.only_in_aws, name="only_in_aws"),
    path("drift/only-in-aws/<int:pk>/link/", only.only_in_aws_link, name="only_in_aws_link"),
    path("drift/only-in-aws/<int:pk>/leave/", only.only_in_aws_leave, name="only_in_aws_leave"),
    path("drift/only-in-aws/<int:pk>/undo/", only.only_in_aws_undo, name="only_in_aws_undo"),
]
