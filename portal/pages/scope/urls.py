from django.urls import path

from portal.pages.scope import views

urlpatterns = [
    path("scope/", views.scope, name="scope"),
    path("scope/counts/", views.scope_counts, name="scope_counts"),
    path("scope/people/", views.scope_people, name="scope_people"),
    path("scope/settings/", views.scope_settings, name="scope_settings"),
    path("scope/filters/<slug:key>/", views.scope_filter, name="scope_filter"),
]
