from django.urls import path

from portal.pages.users import views

ONE = "settings/users/<int:pk>/"
urlpatterns = [
    path("settings/users/", views.users, name="users"),
    path("settings/users/invite/", views.invite, name="user_invite"),
    path(ONE, views.user, name="user"),
    path(f"{ONE}role/", views.role_give, name="user_role"),
    path(f"{ONE}role/take/", views.role_take, name="user_role_take"),
    path(f"{ONE}reset/", views.reset, name="user_reset"),
    path(f"{ONE}second-factor/", views.second_factor_reset, name="user_second_factor"),
    path(f"{ONE}sessions/", views.sessions_end, name="user_sessions"),
    path(f"{ONE}deactivate/", views.deactivate, name="user_deactivate"),
    path(f"{ONE}activate/", views.activate, name="user_activate"),
    path(f"{ONE}remove/", views.remove, name="user_remove"),
]
