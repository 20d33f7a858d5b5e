from django.urls import path

from portal.pages.runs import views

urlpatterns = [
    path("run-pill/", views.pill, name="run_pill"),
    path("runs/", views.history, name="runs"),
    path("runs/<int:number>/", views.run, name="run"),
    path("runs/<int:number>/cancel/", views.cancel, name="run_cancel"),
    path("runs/<int:number>/confirm/", views.confirm, name="run_confirm"),
]
