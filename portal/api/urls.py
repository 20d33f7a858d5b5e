from django.urls import path

from portal.api import docs, graph
from portal.api.application import api
from sync.directory.subscriptions import PATH

urlpatterns = [
    path("help/api/", docs.page, name="api_docs"),
    path("api/v1/openapi.json", docs.openapi, name="api_openapi"),
    path(PATH, graph.notifications, name="graph_notifications"),
    path("api/v1/", api.urls),
]
