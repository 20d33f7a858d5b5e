from django.urls import path

from portal.pages.versions import views

urlpatterns = [
    path("versions/", views.versions, name="versions"),
    path("versions/<int:number>/", views.version, name="version"),
    path("versions/<int:number>/restore/", views.version_restore, name="version_restore"),
]
