from django.urls import path

from portal.pages.people import views

urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/<id:object_id>/", views.person, name="person"),
    path("people/<id:object_id>/values/", views.person_values, name="person_values"),
]
