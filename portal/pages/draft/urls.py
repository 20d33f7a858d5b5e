from django.urls import path

from portal.pages.draft import views

urlpatterns = [
    path("draft/", views.draft, name="draft"),
    path("draft/undo/", views.draft_undo, name="draft_undo"),
    path("draft/discard/", views.draft_discard, name="draft_discard"),
    path("draft/preview/", views.impact_start, name="impact_start"),
    path("draft/impact/<int:number>/", views.impact_page, name="impact"),
    path("draft/impact/<int:number>/export/", views.impact_export, name="impact_export"),
    path("draft/impact/<int:number>/keep/", views.impact_keep, name="impact_keep"),
    path("draft/impact/<int:number>/publish/", views.publish, name="publish"),
]
