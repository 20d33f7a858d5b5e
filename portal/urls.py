"""The site map: one list per noun."""

from allauth.account import views as account
from django.urls import include, path, register_converter
from django.views.generic import RedirectView

from portal.pages.accounts import views
from portal.pages.approvals import views as approvals
from portal.pages.assignments import application, group
from portal.pages.assignments import views as assignments
from portal.pages.configuration_files import views as configuration_files
from portal.pages.connection import views as connection
from portal.pages.draft import views as draft
from portal.pages.drift import views as drift
from portal.pages.logs import views as logs
from portal.pages.mappings import help
from portal.pages.mappings import views as mappings
from portal.pages.on_demand import views as on_demand
from portal.pages.overview import views as overview
from portal.pages.provisioning import views as provisioning
from portal.pages.readiness import views as readiness
from portal.pages.runs import views as runs
from portal.pages.scope import views as scope
from portal.pages.setup import views as setup
from portal.pages.tenants import views as tenants
from portal.pages.versions import views as versions
from sync.directory.live import GUID

account_urls = [
    path("sign-in/", account.LoginView.as_view(), name="account_login"),
    path("sign-out/", account.LogoutView.as_view(), name="account_logout"),
    # allauth's templates and views name these; nobody makes an account for himself here.
    path("accounts/signup/", views.closed, name="account_signup"),
    path("accounts/inactive/", account.AccountInactiveView.as_view(), name="account_inactive"),
    path("accounts/reset/", views.closed, name="account_reset_password"),
    path("first-run/", views.first_run, name="first_run"),
    path("me/", views.me, name="me"),
]


class Plural:
    """The two kinds of mappings that pages are for."""

    regex = "people|groups"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Kind(Plural):
    """The two kinds of what can be assigned."""

    regex = "user|group"


class ObjectId:
    """An object id of Entra, in lower case as Graph writes it."""

    regex = GUID

    def to_python(self, value: str) -> str:
        return value.lower()

    def to_url(self, value: str) -> str:
        return value


register_converter(Plural, "plural")
register_converter(Kind, "kind")
register_converter(ObjectId, "id")

setup_urls = [
    path("setup/", setup.setup, name="setup"),
]

connection_urls = [
    path("connection/", connection.connection, name="connection"),
    path("connection/entra/", connection.connection_entra, name="connection_entra"),
    path("connection/aws/", connection.connection_aws, name="connection_aws"),
    path("connection/tests/", connection.connection_test_start, name="connection_test_start"),
    path("connection/tests/<int:test_id>/", connection.connection_test, name="connection_test"),
]

mapping_urls = [
    path("mappings/recommended/", mappings.mappings_recommended, name="mappings_recommended"),
    path("mappings/cast/", mappings.mappings_cast, name="mappings_cast"),
    path("mappings/expressions/", help.expression_help, name="expression_help"),
    path("mappings/fields/", help.aws_fields, name="aws_fields"),
    path("mappings/<plural:plural>/", mappings.mappings, name="mappings"),
    path("mappings/<plural:plural>/add/", mappings.mapping_add, name="mapping_add"),
    path("mappings/<plural:plural>/reset/", mappings.mappings_reset, name="mappings_reset"),
    path("mappings/<plural:plural>/actions/", mappings.mappings_actions, name="mappings_actions"),
    path("mappings/<plural:plural>/actions/undo/", mappings.mappings_actions_undo, name="mappings_actions_undo"),
    path("mappings/<plural:plural>/undo/<path:target>/", mappings.mapping_undo, name="mapping_undo"),
    path("mappings/<plural:plural>/move/<path:target>/", mappings.mapping_move, name="mapping_move"),
    path("mappings/<plural:plural>/remove/<path:target>/", mappings.mapping_remove, name="mapping_remove"),
    path("mappings/<plural:plural>/<path:target>/", mappings.mapping_edit, name="mapping"),
]

scope_urls = [
    path("scope/", scope.scope, name="scope"),
    path("scope/counts/", scope.scope_counts, name="scope_counts"),
    path("scope/people/", scope.scope_people, name="scope_people"),
    path("scope/settings/", scope.scope_settings, name="scope_settings"),
    path("scope/filters/<slug:key>/", scope.scope_filter, name="scope_filter"),
]

configuration_file_urls = [
    path("configuration/export/", configuration_files.configuration_export, name="configuration_export"),
    path("configuration/import/", configuration_files.configuration_import, name="configuration_import"),
]

assignment_urls = [
    path("assignments/", assignments.assignments, name="assignments"),
    path("assignments/assign/", assignments.assign, name="assign"),
    path("assignments/paste/", assignments.paste, name="assign_pasted"),
    path("assignments/undo/", assignments.undo, name="assignment_undo"),
    path("assignments/unassign/", assignments.unassign_ticked, name="unassign_ticked"),
    path("assignments/<kind:kind>/<id:object_id>/change/", assignments.change, name="assignment_change"),
    path("assignments/<kind:kind>/<id:object_id>/unassign/", assignments.unassign, name="unassign"),
    path("assignments/application/", application.application, name="application"),
    path("assignments/application/name/", application.application_name, name="application_name"),
    path("assignments/application/stop/", application.application_stop, name="application_stop"),
    path("groups/<id:object_id>/", group.group, name="group"),
    path("groups/<id:object_id>/now/", group.group_now, name="group_now"),
]

draft_urls = [
    path("draft/", draft.draft, name="draft"),
    path("draft/undo/", draft.undo, name="draft_undo"),
    path("draft/discard/", draft.discard, name="draft_discard"),
    path("draft/preview/", draft.start, name="impact_start"),
    path("draft/impact/<int:number>/", draft.impact_page, name="impact"),
    path("draft/impact/<int:number>/export/", draft.export, name="impact_export"),
    path("draft/impact/<int:number>/keep/", draft.keep, name="impact_keep"),
    path("draft/impact/<int:number>/publish/", draft.publish, name="publish"),
]

version_urls = [
    path("versions/", versions.versions, name="versions"),
    path("versions/<int:number>/", versions.version, name="version"),
    path("versions/<int:number>/restore/", versions.restore, name="version_restore"),
]

provisioning_urls = [
    path("provisioning/", provisioning.provisioning, name="provisioning"),
    path("provisioning/state/", provisioning.state, name="provisioning_state"),
    path("provisioning/turn-on/", provisioning.turn_on, name="turn_on"),
    path("provisioning/turn-off/", provisioning.turn_off, name="turn_off"),
    path("provisioning/sync-now/", provisioning.sync_now, name="sync_now"),
    path("provisioning/safety/", provisioning.provisioning_safety, name="provisioning_safety"),
    path("provisioning/preview/", provisioning.preview, name="preview"),
]

approval_urls = [
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/link/", approvals.link, name="approvals_link"),
    path("approvals/smaller/", approvals.accept_shrinkage, name="accept_shrinkage"),
    path("approvals/<int:pk>/", approvals.approval, name="approval"),
]

run_urls = [
    path("run-pill/", runs.pill, name="run_pill"),
    path("runs/", runs.history, name="runs"),
    path("runs/<int:number>/", runs.run, name="run"),
    path("runs/<int:number>/cancel/", runs.cancel, name="run_cancel"),
    path("runs/<int:number>/confirm/", runs.confirm, name="run_confirm"),
]

drift_urls = [
    path("drift/", drift.drift, name="drift"),
    path("drift/compare/", drift.compare, name="drift_compare"),
    path("drift/<int:pk>/link/", drift.link, name="drift_link"),
    path("drift/repair/", drift.repair, name="drift_repair"),
]

readiness_urls = [
    path("readiness/", readiness.readiness, name="readiness"),
    path("readiness/check/", readiness.check, name="readiness_check"),
    path("readiness/export/", readiness.export, name="readiness_export"),
]

log_urls = [
    path("logs/", logs.logs, name="logs"),
    path("logs/export/", logs.export, name="logs_export"),
    path("logs/<int:pk>/", logs.log, name="log"),
]

on_demand_urls = [
    path("on-demand/", on_demand.on_demand, name="on_demand"),
    path("on-demand/<int:pk>/", on_demand.demand, name="demand"),
]

tenant_urls = [
    path("", overview.overview, name="overview"),
    *setup_urls,
    *connection_urls,
    *mapping_urls,
    *scope_urls,
    *configuration_file_urls,
    *assignment_urls,
    *draft_urls,
    *version_urls,
    *provisioning_urls,
    *approval_urls,
    *run_urls,
    *log_urls,
    *on_demand_urls,
    *drift_urls,
    *readiness_urls,
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="tenants"), name="home"),
    *account_urls,
    path("t/", tenants.tenants, name="tenants"),
    path("t/new/", tenants.tenant_new, name="tenant_new"),
    path("t/<slug:slug>/", include(tenant_urls)),
]

handler400 = "portal.frame.errors.bad_request"
handler403 = "portal.frame.errors.forbidden"
handler404 = "portal.frame.errors.not_found"
handler500 = "portal.frame.errors.server_error"
