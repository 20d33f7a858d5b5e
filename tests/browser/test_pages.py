"""Every page of the URLconf: accessible in light and dark, no sideways scroll at 320 px, nothing in the console."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, TransactionTestCase
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from portal.access.api_tokens import make_token
from portal.access.sessions import SEEN_AT
from portal.models import Role, Scope, User
from sync import audit
from sync.configuration import assignments, drafts, versions
from sync.configuration.settings import set_settings
from sync.directory.live import Found
from sync.models import (
    Assignment,
    ChangeRequest,
    Channel,
    ConnectionTest,
    Delivery,
    DeliveryAttempt,
    Demand,
    DemandObject,
    DirectoryGroup,
    DirectoryMembership,
    DirectoryUser,
    Drift,
    Finding,
    GraphSubscription,
    Half,
    HeldChange,
    Hold,
    Incident,
    IncidentEvent,
    LeftDifference,
    Link,
    Operation,
    ReadinessCheck,
    Run,
    Snapshot,
    Standing,
    Tenant,
    Word,
)
from sync.notifications import services as notifications
from sync.standings import services as standings
from sync.tenants.services import create_tenant
from tests.world.browser import AXE, COLOUR_RULES, SCHEMES, Watched, axe, axe_in, sideways
from tests.world.chromium import STILL
from tests.world.database import empty
from tests.world.drafted import PREVIEW, preview_of, with_draft
from tests.world.examples import by_night
from tests.world.people import person, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

ADELE = "aaaaaaaa-1111-4111-8111-111111111111"
GROUP = "bbbbbbbb-1111-4111-8111-111111111111"
# Entra and AWS allow so much, in one word.
LONG = "W" * 255
WIDE = "99999999-1111-4111-8111-111111111111"
OURS = "bbbbbbbb-1111-4111-8111-111111111111"
# Names that answer no page of their own: actions (POST), files, fragments and redirects. `first_run` is looked at where
# there is no Owner yet.
NO_PAGE = {
    "connection_certificate", "credentials_file",
    "first_run", "home", "scope_counts", "scope_filter", "scope_settings", "account_signup", "account_reset_password", "connection_lab", "connection_test_start", "mappings_recommended", "sync_now",
    "mappings_cast", "mappings_disable_leavers", "mappings_actions", "mappings_actions_undo", "mapping_undo", "mapping_move",
    "logs_export", "runs_export", "run_retry", "mapping_default", "run_pill", "provisioning_state", "drift_compare", "readiness_check", "readiness_export",
    "preview", "resume", "run_confirm", "provisioning_safety", "approvals_link", "decide_request", "withdraw_request",
    "approval_export", "accept_shrinkage", "only_in_aws_link", "only_in_aws_undo", "drift_left_undo", "person_raw", "draft_undo", "impact_start", "impact_export", "impact_keep", "publish", "assignment_undo", "assignment_change", "unassign_ticked", "application_name", "application_stop",
    "api_openapi", "graph_notifications", "session", "session_end", "sessions_end", "audit_export", "site_audit_export",
    "user_role", "user_role_take", "user_second_factor", "user_sessions", "user_deactivate", "user_activate",
    "microsoft_start", "microsoft_answer", "channel_test", "incident_acknowledge", "incident_snooze",
    # Open at one moment only: tests/browser/test_accounts.py.
    *("choose_password", "mfa_authenticate", "mfa_activate_totp", "mfa_view_recovery_codes", "account_reauthenticate"),
    *("mfa_login_webauthn", "mfa_add_webauthn", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn"),
}  # fmt: skip
# Pages for whoever is not signed in.
SIGNED_OUT = {"account_login", "account_inactive"}


def names(patterns: list[Any] | None = None) -> Iterator[str]:
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            # What programs ask is no page.
            yield from names(pattern.url_patterns) if pattern.namespace != "api" else ()
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name


def page_names() -> list[str]:
    return sorted(set(names()) - NO_PAGE)


@dataclass(frozen=True)
class World:
    """`session`: an Owner's cookie. `arguments`: of each page's address."""

    session: str
    arguments: dict[str, list[Any]]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Committed once for all pages: they write no more than that somebody looked."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        # Nothing is emptied between pages.
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: None)
        patch.setattr("sync.directory.subscriptions.can_be_reached", lambda _entra: True)
        client = Client()
        sign_in(client, person("jo@acme.example", Role.OWNER))
        # Pages only read: nor do they note that somebody was here.
        session = client.session
        session[SEEN_AT] = time.time() + 3600
        session.save()
        tenant = create_tenant(actor="jo@acme.example", name="Acme")
        other = person("w" * 200 + "@acme.example", Role.HELPDESK, tenant)
        User.objects.filter(pk=other.pk).update(name="Ann " + "of a long name " * 13)
        of_user = {name: [other.pk] for name in ("user", "user_reset", "user_remove")}
        token, _text = make_token(user=other, name=LONG[:100], scopes=Scope.values, tenant=tenant, days=30)
        facts = arguments_of(tenant) | of_user | {"token_revoke": [token.pk]}
        yield World(client.cookies[settings.SESSION_COOKIE_NAME].value, facts)
        empty()


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[str]:
    """As `live_server`, which would empty the database after each test."""
    running = LiveServer("localhost")
    yield running.url
    running.stop()


def arguments_of(tenant: Tenant) -> dict[str, list[Any]]:
    """Makes rows for every page; a page without arguments fails."""
    now = timezone.now()
    Tenant.objects.filter(pk=tenant.pk).update(enabled=True, enabled_changed_at=now, next_run_at=now)
    for resource, error in (("users", ""), ("groups", f"Authorization_RequestDenied: {LONG}")):
        GraphSubscription.objects.create(tenant=tenant, resource=resource, error=error, notified_at=now)
    run = Run.objects.create(
        tenant=tenant, number=1, kind="full", trigger="person", state="completed_with_errors", started_at=now,
        finished_at=now, counts={"created": 3, "failed": 1}, phases={"read": {"state": "done", "seconds": 1.5, "facts": {"people": 500}}},
    )  # fmt: skip
    operation = Operation.objects.create(
        run=run, tenant=tenant, object_type="user", object_id=ADELE, display_name="Adele Vance With A Rather Long Name",
        detail_name="adele@acme.example", action="create", result="failed", problem="too-many-values", attribute="phoneNumbers",
        error="List attribute phoneNumbers exceeds allowed limit of 1", finished_at=now, status=400,
        changes={"userName": {"before": None, "after": "adele @acme", "mapping": "userPrincipalName"}},
        request={"method": "POST", "path": "Users", "body": {"userName": "adele"}}, answer={"status": 400, "body": {"detail": "no"}},
    )  # fmt: skip
    entry = audit.record("w" * 242 + "@acme.example", "tenant.change", tenant, {"name": LONG}, {"name": f"{LONG} "})
    for action in ("create", "add_member"):
        Operation.objects.create(
            run=run, tenant=tenant, object_type="user", object_id=GROUP, display_name=LONG, detail_name=LONG,
            action=action, result="failed", problem="rejected", attribute="displayName", error=LONG, finished_at=now,
            changes={"displayName": {"before": LONG, "after": LONG, "mapping": "displayName"}},
        )  # fmt: skip
    DirectoryUser.objects.create(
        tenant=tenant, object_id=WIDE, display_name=LONG, user_principal_name=LONG, in_scope=True
    )
    DirectoryMembership.objects.create(tenant=tenant, group_id=GROUP, member_id=WIDE, member_type="user")
    DirectoryUser.objects.create(
        tenant=tenant, object_id=ADELE, display_name="Adele", in_scope=True, scope_reason="assigned"
    )
    Link.objects.create(tenant=tenant, object_type="user", object_id=ADELE, failures=1, failure_code="too-many-values")
    found = [
        Found("group", "88888888-1111-4111-8111-111111111111", LONG, LONG, "security"),
        Found("user", WIDE, LONG, LONG, "person"),
        Found("group", GROUP, "AWS-Developers", "", "security"),
        Found("user", ADELE, "Adele", "adele@x", "person"),
    ]
    assignments.assign_objects(actor="jo@acme.example", tenant=tenant, chosen=found)
    with_changed_assignments(tenant)
    test = ConnectionTest.objects.create(
        tenant=tenant, half=Half.AWS, state="done", requested_by="jo", finished_at=now,
        checks=[{"id": "A3", "state": "failed", "code": "token-refused", "facts": {"characters": 40, "detail": "no"}, "milliseconds": 5,
                 "request": "GET /Users", "status": 401, "answer": "no"}],
    )  # fmt: skip
    with_findings(tenant)
    with_differences(tenant)
    with_standings(tenant)
    slug = tenant.slug
    hold = waiting(tenant, run)
    ChangeRequest.objects.create(
        tenant=tenant, kind="settings", asked_by="w" * 242 + "@acme.example", due_at=now,
        facts={"people_percent": {"before": 5, "after": 50}, "never_touch": {"before": [LONG, LONG], "after": []}},
    )  # fmt: skip
    channel, incident = with_notifications(tenant, run)
    preview_of(tenant, with_draft(tenant), broken=True)
    return {
        "help_code": ["secret-ended"],
        "channel": [slug, channel.pk],
        "channel_add": [slug, "webhook"],
        "channel_remove": [slug, channel.pk],
        "incident": [slug, incident.pk],
        "impact": [slug, PREVIEW],
        "version": [slug, 1],
        "version_restore": [slug, 1],
        "demand": [slug, demanded(tenant, run).pk],
        "person": [slug, WIDE],
        "person_values": [slug, WIDE],
        "person_what_if": [slug, WIDE],
        "person_match": [slug, WIDE],
        "person_cut": [slug, WIDE],
        "only_in_aws_leave": [slug, Standing.objects.filter(kind="user", object_id="", name=LONG).get().pk],
        "approval": [slug, hold.pk],
        "run": [slug, 1],
        "run_cancel": [slug, 1],
        "log": [slug, operation.pk],
        "audit_entry": [slug, entry.pk],
        "site_audit_entry": [entry.pk],
        "connection_test": [slug, test.pk],
        "credential_renewal": [slug, "aws"],
        "mappings": [slug, "user"],
        "mapping": [slug, "user", "title"],
        "mapping_add": [slug, "user"],
        "mapping_remove": [slug, "user", "title"],
        "mappings_reset": [slug, "user"],
        "unassign": [slug, "group", GROUP],
        "group": [slug, GROUP],
        "group_now": [slug, GROUP],
        "group_leaving": [slug, GROUP],
        **{name: [slug] for name in ("draft", "draft_discard", "versions", "expression_help", "aws_fields", "overview", "setup", "tenant_settings", "tenant_delete", "scope", "scope_people", "connection", "connection_entra", "connection_aws", "assignments", "assign",
                                     "assign_pasted", "application", "audit", "notifications", "deliveries", "incidents",
                                     "people", "provisioning", "turn_on", "turn_off", "pause", "runs", "logs", "on_demand", "drift", "drift_repair", "drift_leave", "drift_left", "only_in_aws",
                                     "readiness", "approvals", "configuration_export", "configuration_import")},
    }  # fmt: skip


def with_changed_assignments(tenant: Tenant) -> None:
    """Every mark of a row, nested groups with a loop, and something from the enterprise application."""
    inner, gone, brought = (f"{one * 8}-1111-4111-8111-111111111111" for one in "cde")
    for object_id, name in (
        (GROUP, "AWS-Developers"),
        (inner, "AWS-Release with a rather long name"),
        (gone, "AWS-Old"),
        (brought, "AWS-App"),
    ):
        DirectoryGroup.objects.create(tenant=tenant, object_id=object_id, display_name=name)
    for outer, member, kind in (
        (GROUP, inner, "group"),
        (inner, GROUP, "group"),
        (GROUP, ADELE, "user"),
        (inner, "f" * 36, "user"),
    ):
        DirectoryMembership.objects.create(tenant=tenant, group_id=outer, member_id=member, member_type=kind)
    DirectoryUser.objects.create(
        tenant=tenant, object_id="f" * 36, display_name="Fay", user_principal_name="fay@a-rather-long-domain-name.acme.example"
    )  # fmt: skip
    assignments.assign_objects(
        actor="jo@acme.example", tenant=tenant, chosen=[Found("group", gone, "AWS-Old", "", "dynamic")]
    )
    set_settings(actor="jo@acme.example", tenant=tenant, mirrored_app=GROUP)
    draft = drafts.draft_or_current(tenant)
    Assignment.objects.create(
        configuration=draft, object_type="group", object_id=brought, display_name="AWS-App", mirrored=True
    )
    versions.make_version(draft, actor="jo@acme.example")
    developers = drafts.draft_or_current(tenant).assignments.get(object_id=GROUP)
    assignments.set_nested(actor="jo@acme.example", tenant=tenant, assignment=developers, nested=True)
    assignments.unassign_objects(actor="jo@acme.example", tenant=tenant, keys=[("group", gone)])
    fay = Found("user", "f" * 36, "Fay", "fay@acme.example", "person")
    assignments.assign_objects(actor="jo@acme.example", tenant=tenant, chosen=[fay])


def demanded(tenant: Tenant, run: Run) -> Demand:
    """One that failed at writing, with something in every step."""
    demand = Demand.objects.create(tenant=tenant, requested_by="jo", dry_run=False, state="done", run=run)
    change = {"id": run.operations.get(object_id=ADELE).pk, "action": "update", "object_type": "user", "name": "Adele", "result": "failed", "status": 400,
              "request_id": "r" * 36, "milliseconds": 5, "problem": "too-many-values", "error": "no",
              "changes": {"title": {"before": "Clerk", "after": "Chief", "mapping": "jobTitle"}}}  # fmt: skip
    facts: dict[str, dict[str, Any]] = {
        "import": {
            "properties": {"userPrincipalName": "adele@acme.example"},
            "groups": ["AWS-Developers"],
            "manager": "Mo",
        },
        "scope": {"reason": "through-group", "through": "AWS-Developers", "path": ["AWS-Developers"]},
        "ready": {"findings": [{"code": "missing-mail", "attribute": "emails", "certain": False, "value": ""}]},
        "match": {"how": "linked", "scim_id": "s" * 36, "origin": "rule"},
        "plan": {"operations": [change]},
        "write": {"problem": "too-many-values", "attribute": "phoneNumbers", "error": "no", "operations": [change]},
        "read_back": {"problem": "differs", "differences": {"title": {"before": "Clerk", "after": "Chief"}}},
    }
    steps = [{"step": name, "state": "failed" if "problem" in one else "done", "facts": one, "at": "2026-11-25T04:00:00+00:00"}
             for name, one in facts.items()]  # fmt: skip
    for number in range(2):
        DemandObject.objects.create(
            demand=demand, position=number, object_type="user", object_id=ADELE, display_name="Adele Vance With A Long Name",
            result="failed", steps=steps,
        )  # fmt: skip
    return demand


def with_findings(tenant: Tenant) -> None:
    now = timezone.now()
    Snapshot.objects.create(tenant=tenant, full=True, sealed_at=now)
    check = ReadinessCheck.objects.create(
        tenant=tenant, requested_by="jo@acme.example", state="done", finished_at=now, people=1207, people_ready=1204, groups=12, groups_ready=12
    )  # fmt: skip
    for code, attribute, value, certain in (
        ("missing-family-name", "name.familyName", "", True),
        ("bad-characters", "userName", "adele[U+00A0]vance@a-rather-long-domain-name.acme.example", True),
        ("name-id-differs", "userName", "ADELE@acme.example", False),
        ("manager-outside-scope", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "Bo Boss", False),
    ):  # fmt: skip
        Finding.objects.create(
            found_by=check, tenant=tenant, object_type="user", object_id=ADELE, code=code, attribute=attribute, value=value, certain=certain
        )  # fmt: skip


def with_differences(tenant: Tenant) -> None:
    now = timezone.now()
    run = Run.objects.create(
        tenant=tenant, number=2, kind="verify", trigger="person", state="completed", started_at=now, finished_at=now, compared_at=now,
        phases={"compare": {"state": "done", "seconds": 2.5, "facts": {"people": 1207, "groups": 12, "memberships": 5400}}},
    )  # fmt: skip
    aws_id = "04285428-40b1-7000-1624-dbde7efe0001"
    changed = {
        "displayName": {"written": "Adele Vance", "held": "By Hand"},
        "title": {"written": None, "held": "Emperor"},
    }
    ours = {
        kind: Link.objects.create(tenant=tenant, object_type=kind, object_id=OURS, scim_id=aws_id)
        for kind in ("user", "group")
    }
    differences = (
        ("differs", "user", {"name": "Adele Vance", "facts": changed}),
        ("differs", "user", {"name": LONG, "facts": {"displayName": {"written": LONG, "held": LONG}}}),
        ("member_missing", "membership", {"name": LONG, "member_scim_id": aws_id, "member_name": LONG}),
        ("only_in_aws", "user", {"name": LONG, "facts": {"userName": LONG}}),
        ("member_extra", "membership", {"name": "AWS-Developers", "member_scim_id": aws_id}),
        ("member_missing", "membership", {"name": "AWS-Developers", "member_scim_id": aws_id, "member_name": "Adele"}),
        ("member_missing", "membership", {"name": "AWS-Developers", "member_scim_id": aws_id, "repaired": True}),
        ("only_in_aws", "user", {"name": "Hand Made", "facts": {"userName": "hand.made@a-rather-long-domain-name.acme.example"}, "proposed_id": ADELE, "proposed_by": "userName"}),
        ("only_in_aws", "group", {"name": "Billing"}),
        ("only_in_aws", "group", {"name": "AWSControlTowerAdmins", "facts": {"left_alone": True}}),
    )  # fmt: skip
    for n, (kind, object_type, facts) in enumerate(differences):
        link = None if kind == "only_in_aws" else ours["user" if object_type == "user" else "group"]
        scim_id = link.scim_id if link else f"{aws_id[:-2]}f{n:x}"
        Drift.objects.create(
            run=run, tenant=tenant, kind=kind, object_type=object_type, scim_id=scim_id, link=link, **facts
        )
    left = {"scim_id": aws_id, "reason": LONG, "decided_by": "w" * 242 + "@acme.example", "link": ours["user"]}
    for unit, member in (("displayName", ""), ("", aws_id)):
        facts = {"kind": "member_extra" if member else "differs", "unit": unit, "held": LONG, "member_scim_id": member}
        LeftDifference.objects.create(tenant=tenant, name=LONG, **left | facts)
    standings.refresh_only_in_aws(tenant.pk)


def with_notifications(tenant: Tenant, run: Run) -> tuple[Channel, Incident]:
    """Channels in every state, an incident in every state, and a delivery of which the receiver says as much as it may."""
    now = timezone.now()
    long = f"{'w' * 60}@{'w' * 60}.{'w' * 60}.acme.example"
    found = [
        notifications.add_channel(tenant=tenant, actor="jo@acme.example", kind=kind, to=to, name=name)[0]
        for kind, to, name in (
            ("email", long, ""),
            ("webhook", f"https://{'h' * 60}.{'h' * 60}.acme.example/hooks", "W" * 100),
            ("slack", "https://hooks.slack.com/services/x", "Identity ops"),
            ("teams", "https://acme.example/workflows/x", "Teams: Identity ops"),
        )
    ]
    Channel.objects.filter(pk=found[2].pk).update(on=False)
    facts = {"tenant": tenant, "opened_at": now, "opened_by": run, "last_seen": run, "told": 3}
    incidents = [
        Incident.objects.create(code="token-refused", kind="quarantine", of_run=True, **facts),
        Incident.objects.create(code="missing-family-name", attribute="name.familyName", kind="not-ready", **facts),
        Incident.objects.create(code="held-people", kind="held", snoozed_until=now + timedelta(days=1), **facts),
        Incident.objects.create(
            code="token-ends", attribute="7", kind="credential-ends", acknowledged_at=now, acknowledged_by=long, **facts
        ),
        Incident.objects.create(code="graph-down", kind="failed-run", solved_at=now, **facts),
    ]
    for what, more in (("changed", {"objects_now": 6}), ("acknowledged", {"actor": long}), ("snoozed", {"until": now})):
        IncidentEvent.objects.create(incident=incidents[1], at=now, what=what, **more)
    for number, (state, channel) in enumerate(zip(Delivery.State.values, found, strict=True)):
        delivery = Delivery.objects.create(
            tenant=tenant, channel=channel, recipient=channel.destination, subject="S" * 250, body="b", state=state,
            attempts=number, sent_at=now if state == "sent" else None, error="it answered 502" if number % 2 else "",
        )  # fmt: skip
        delivery.incidents.set(incidents)
        for attempt in range(1, number + 1):
            DeliveryAttempt.objects.create(
                delivery=delivery,
                number=attempt,
                at=now,
                milliseconds=112,
                status=502,
                answer=LONG + LONG,
                error="it answered 502",
            )
    return found[1], incidents[1]


def with_standings(tenant: Tenant) -> None:
    """Somebody at each word; one whose every value is as long as can be."""
    now = timezone.now()
    problem = {"code": "missing-family-name", "attribute": "name.familyName", "quoted": LONG, "in_scope": True}
    rows = [Standing(object_id=WIDE, name=LONG, word=Word.NOT_READY, **problem)]
    rows += [
        Standing(object_id=f"{n:08}-1111-4111-8111-111111111111", name=str(word.label), word=word)
        for n, word in enumerate(Word)
        if word != Word.ONLY_IN_AWS
    ]
    for row in rows:
        row.tenant, row.kind, row.since = tenant, "user", now
    gone = Standing(object_id=GROUP, name=LONG, word=Word.GONE, code="not-found-link", scim_id="g" * 36)
    gone.tenant, gone.kind, gone.since = tenant, "group", now
    Standing.objects.bulk_create([*rows, gone])
    Link.objects.create(
        tenant=tenant, object_type="user", object_id=WIDE, scim_id="f" * 36, written={"displayName": LONG}
    )


def waiting(tenant: Tenant, run: Run) -> Hold:
    """Everything that can wait for a person: a quarantine, a hold with somebody kept, a proposal for linking."""
    now = timezone.now()
    Tenant.objects.filter(pk=tenant.pk).update(quarantined_at=now, quarantine_code="token-refused", quarantine_tries=2)
    hold = Hold.objects.create(tenant=tenant, kind="people", run=run, facts={"limit": 3, "planned": 3, "week": 5})
    for n, (cause, decision) in enumerate([("not-assigned", "waiting"), ("deleted", "waiting"), ("deleted", "kept")]):
        HeldChange.objects.create(
            hold=hold, tenant=tenant, action="disable", object_type="user", object_id=f"{n}" * 36, cause=cause,
            display_name=f"Leaver {n} With A Rather Long Name", detail_name=f"leaver{n}@acme.example", decision=decision,
            decided_by="jo@acme.example" if decision == "kept" else "", decided_at=now if decision == "kept" else None,
        )  # fmt: skip
    HeldChange.objects.create(
        hold=hold, tenant=tenant, action="disable", object_type="user", object_id=WIDE, cause="deleted",
        display_name=LONG, detail_name=LONG,
    )  # fmt: skip
    Hold.objects.create(tenant=tenant, kind="keys", run=run, closed_at=now)
    Link.objects.create(
        tenant=tenant, object_type="user", object_id="d" * 36, match_code="exists-unlinked", match_attribute="userName",
        match_scim_id="e" * 36, match_name="dora@acme.example", match_at=now,
    )  # fmt: skip
    return hold


# Tables of which a part is scrolled away at this width, and rows that one value makes taller than ten lines.
WIDER_TABLES = """[...document.querySelectorAll(".ls-table-scroll")].filter(one => one.scrollWidth > one.clientWidth)
  .map(one => `${one.scrollWidth} > ${one.clientWidth} ${one.innerText.slice(0, 80)}`)
  .concat([...document.querySelectorAll(".ls-table tbody tr")].filter(row => row.offsetHeight > 200)
    .map(row => `${row.offsetHeight} ${row.innerText.slice(0, 80)}`))"""
OWN = (
    "me",
    "password",
    "mfa_index",
    "unsent",
    "mfa_deactivate_totp",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
)
HELP = ("help", "help_words", "help_translate", "help_shortcuts", "api_docs")
GLOBAL = {
    "drift_leave": f"?object={OURS}",
    **dict.fromkeys(("users", "user_invite", "keys", "credentials", "tenant_new", "account_logout", *HELP, *OWN), ""),
    **dict.fromkeys(
        ("site_audit", "site_audit_check", "health", "retention", "network", "inbox", "tokens", "token_new"), ""
    ),
    "tenants": "?stay=1",
    "search": "?q=ww",
}


@pytest.fixture(scope="module")
def watched(server: str) -> Watched:
    return Watched(server)


@pytest.fixture(scope="module")
def owner_page(browser: Browser, world: World, server: str, watched: Watched) -> Iterator[Page]:
    with browser.new_context(**STILL) as context:
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": world.session, "url": server}])
        page = context.new_page()
        # Sent once, not to each of a hundred pages.
        page.add_init_script(AXE)
        watched.watch(page)
        yield page


@pytest.fixture(scope="module")
def stranger_page(browser: Browser, watched: Watched) -> Iterator[Page]:
    with browser.new_context(**STILL) as context:
        page = context.new_page()
        # Sent once, not to each of a hundred pages.
        page.add_init_script(AXE)
        watched.watch(page)
        yield page


@pytest.mark.parametrize("name", page_names())
def test_a_page_is_accessible_and_fits(
    name: str, world: World, server: str, owner_page: Page, stranger_page: Page, watched: Watched
) -> None:
    assert name in world.arguments or name in GLOBAL or name in SIGNED_OUT, (
        f"{name} is a new page: give it rows and arguments here."
    )
    watched.faults.clear()
    page = stranger_page if name in SIGNED_OUT else owner_page
    page.set_viewport_size({"width": 1280, "height": 720})
    address = server + reverse(name, args=world.arguments.get(name, [])) + GLOBAL.get(name, "")
    answer = page.goto(address)
    assert answer is not None
    assert (answer.status, page.url) == (200, address)
    assert sideways(page) == 0
    assert page.evaluate(WIDER_TABLES) == []
    if by_night() or name in page_names()[::3]:
        assert axe_in(SCHEMES, page) == []
    else:
        assert axe(page, without=COLOUR_RULES["values"]) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert sideways(page) == 0
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    assert watched.faults == []


def test_the_longer_words_of_another_language_fit_too(browser: Browser, world: World, server: str) -> None:
    with browser.new_context(locale="de-DE", **STILL) as context:
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": world.session, "url": server}])
        page = context.new_page()
        for name in ("overview", "assignments", "runs", "run", "group", "person", "approvals", "mappings"):
            page.set_viewport_size({"width": 1280, "height": 720})
            page.goto(server + reverse(name, args=world.arguments[name]))
            assert (page.locator("html").get_attribute("lang"), page.evaluate(WIDER_TABLES)) == ("de", []), name
            page.set_viewport_size({"width": 320, "height": 800})
            assert sideways(page) == 0, name
