from django.urls import path

from portal.frame import converters  # noqa: F401 - registers <half>
from portal.pages.connection import renewal, views

urlpatterns = [
    path("connection/", views.connection, name="connection"),
    path("connection/entra/", views.connection_entra, name="connection_entra"),
    path("connection/aws/", views.connection_aws, name="connection_aws"),
    path("connection/certificate.cer", views.connection_certificate, name="connection_certificate"),
    path("connection/<half:half>/replace/", renewal.credential_renewal, name="credential_renewal"),
    path("connection/lab/", views.connection_lab, name="connection_lab"),
    path("connection/tests/", views.connection_test_start, name="connection_test_start"),
    path("connection/tests/<int:test_id>/", views.connection_test, name="connection_test"),
]
