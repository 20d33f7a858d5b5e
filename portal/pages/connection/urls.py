from django.urls import path

from portal.pages.connection import views

urlpatterns = [
    path("connection/", views.connection, name="connection"),
    path("connection/entra/", views.connection_entra, name="connection_entra"),
    path("connection/aws/", views.connection_aws, name="connection_aws"),
    path("connection/tests/", views.connection_test_start, name="connection_test_start"),
    path("connection/tests/<int:test_id>/", views.connection_test, name="connection_test"),
]
