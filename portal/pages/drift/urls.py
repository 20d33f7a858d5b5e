from django.urls import path

from portal.pages.drift import views

urlpatterns = [
    path("drift/", views.drift, name="drift"),
    path("drift/compare/", views.drift_compare, name="drift_compare"),
    path("drift/<int:pk>/link/", views.drift_link, name="drift_link"),
    path("drift/repair/", views.drift_repair, name="drift_repair"),
]
