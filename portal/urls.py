"""The site map."""

from django.urls import include, path
from django.views.generic import RedirectView

from portal.access.pages import Audience, site_page

# Pages of one tenant, under its short name.
PAGES = (
    "overview",
    "setup",
    "tenant_settings",
    "connection",
    "mappings",
    "scope",
    "configuration_files",
    "assignments",
    "draft",
    "versions",
    "provisioning",
    "approvals",
    "runs",
    "logs",
    "on_demand",
    "drift",
    "people",
    "readiness",
    "notifications",
    "incidents",
    "audit",
)

urlpatterns = [
    path("", site_page(read=Audience.ANYBODY)(RedirectView.as_view(pattern_name="tenants")), name="home"),
    path("", include("portal.pages.accounts.urls")),
    path("", include("portal.pages.tenants.urls")),
    path("", include("portal.pages.users.urls")),
    path("", include("portal.pages.tokens.urls")),
    path("", include("portal.pages.keys.urls")),
    path("", include("portal.pages.credentials.urls")),
    path("", include("portal.pages.audit.site_urls")),
    path("", include("portal.pages.incidents.site_urls")),
    path("", include("portal.pages.health.urls")),
    path("", include("portal.pages.help.urls")),
    path("", include("portal.api.urls")),
    path("", include("portal.pages.search.urls")),
    path("t/<slug:slug>/", include([path("", include(f"portal.pages.{page}.urls")) for page in PAGES])),
]

handler400 = "portal.frame.errors.bad_request"
handler403 = "portal.frame.errors.forbidden"
handler404 = "portal.frame.errors.not_found"
handler500 = "portal.frame.errors.server_error"
