from django.urls import path

from portal.pages.audit import views

urlpatterns = [
    path("audit/", views.audit_log, name="audit"),
    path("audit/export/", views.audit_export, name="audit_export"),
    path("audit/<int:pk>/", views.audit_entry, name="audit_entry"),
]
