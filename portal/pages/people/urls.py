from django.urls import path

from portal.pages.people import links, views

urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/<id:object_id>/", views.person, name="person"),
    path("people/<id:object_id>/values/", views.person_values, name="person_values"),
    path("people/<id:object_id>/match/", links.person_match, name="person_match"),
    path("people/<id:object_id>/cut/", links.person_cut, name="person_cut"),
]
