from django.urls import path

from portal.pages.readiness import views

urlpatterns = [
    path("readiness/", views.readiness, name="readiness"),
    path("readiness/check/", views.readiness_check, name="readiness_check"),
    path("readiness/export/", views.readiness_export, name="readiness_export"),
]
