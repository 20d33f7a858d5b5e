from django.urls import path

from portal.pages.runs import history, views

urlpatterns = [
    path("run-pill/", views.run_pill, name="run_pill"),
    path("runs/", history.runs, name="runs"),
    path("runs/export/", history.runs_export, name="runs_export"),
    path("runs/<int:number>/", views.run, name="run"),
    path("runs/<int:number>/cancel/", views.run_cancel, name="run_cancel"),
    path("runs/<int:number>/retry/", views.run_retry, name="run_retry"),
    path("runs/<int:number>/confirm/", views.run_confirm, name="run_confirm"),
]
