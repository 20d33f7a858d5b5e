from django.urls import path

from portal.api import docs
from portal.api.application import api

urlpatterns = [
    path("help/api/", docs.page, name="api_docs"),
    path("api/v1/openapi.json", docs.openapi, name="api_openapi"),
    path("api/v1/", api.urls),
]
