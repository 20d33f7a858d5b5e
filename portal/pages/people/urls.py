from django.urls import path

from portal.pages.people import links, raw, views, what_if

urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/<id:object_id>/", views.person, name="person"),
    path("people/<id:object_id>/values/", views.person_values, name="person_values"),
    path("people/<id:object_id>/what-if/", what_if.person_what_if, name="person_what_if"),
    path("people/<id:object_id>/raw/", raw.person_raw, name="person_raw"),
    path("people/<id:object_id>/match/", links.person_match, name="person_match"),
    path("people/<id:object_id>/cut/", links.person_cut, name="person_cut"),
]
