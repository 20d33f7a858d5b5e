"""Of all tenants that somebody sees: where the bell leads."""

from django.urls import path

from portal.pages.incidents import views

urlpatterns = [path("inbox/", views.inbox, name="inbox")]
