from django.urls import path

from portal.pages.search import views

urlpatterns = [path("search/", views.search, name="search")]
