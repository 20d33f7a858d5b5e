from django.urls import path

from portal.pages.logs import views

urlpatterns = [
    path("logs/", views.logs, name="logs"),
    path("logs/export/", views.logs_export, name="logs_export"),
    path("logs/<int:pk>/", views.log, name="log"),
]
