from django.urls import path

from portal.pages.on_demand import views

urlpatterns = [
    path("on-demand/", views.on_demand, name="on_demand"),
    path("on-demand/<int:pk>/", views.demand, name="demand"),
]
