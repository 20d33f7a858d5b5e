"""Of the whole installation: with signing in, accounts and keys, which belong to no tenant."""

from django.urls import path

from portal.pages.audit import views

urlpatterns = [
    path("audit/", views.site_audit_log, name="site_audit"),
    path("audit/export/", views.site_audit_export, name="site_audit_export"),
    path("audit/check/", views.site_audit_check, name="site_audit_check"),
    path("audit/<int:pk>/", views.site_audit_entry, name="site_audit_entry"),
]
