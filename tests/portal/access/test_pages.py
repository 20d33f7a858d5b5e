"""Every address, every role, every method: who may read, who may act. The list is the site map's own."""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from babel.messages.mofile import read_mo
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Model, TextField
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from portal.access.pages import Access, Audience, Needed, access_of
from portal.access.rights import rights_of
from portal.access.roles import RIGHTS, Right
from portal.models import Role, User
from sync import audit
from sync.models import (
    AuditEntry,
    ChangeRequest,
    ConnectionTest,
    Demand,
    DirectoryGroup,
    Drift,
    Half,
    Hold,
    Incident,
    LeftAlone,
    Link,
    Operation,
    Run,
    Standing,
    Tenant,
)
from sync.tenants.services import create_tenant
from tests.world.drafted import GROUP, JO, PREVIEW, preview_of, with_draft, with_versions
from tests.world.examples import by_night
from tests.world.notified import mail_to
from tests.world.people import person, sign_in

pytestmark = pytest.mark.django_db

SLUG, STRANGER = "everybody", "stranger"
# The same page by another question.
MORE = [
    "mappings/groups/",
    "scope/?object=group",
    "scope/?counts=1",
    "configuration/export/?download=lockstep",
]
# What is sent to an address where an empty form would say too little.
FORMS: Mapping[str, list[dict[str, Any]]] = {
    "connection_test_start": [{"half": "aws"}],
    "configuration_import": [{"step": "file", "text": "{}"}, {"step": "entra"}, {"step": "take"}],
    "provisioning": [{"interval": 15}],
    "credential_renewal": [{}, *({"step": step} for step in ("enter", "test", "switch", "remove"))],
}


def patterns(found: list[Any], route: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in found:
        here = route + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, here)
        else:
            yield here, one


# The API has a matrix of its own, with tokens: tests/portal/api/test_access.py.
SITE = [
    one
    for one in patterns(get_resolver().url_patterns)
    if not one[0].startswith("api/") or one[1].name == "api_openapi"
]
PAGES: dict[str, URLPattern] = {one.name: one for route, one in SITE if route.startswith("t/<slug:slug>/")}
OTHERS: dict[str, URLPattern] = {one.name: one for route, one in SITE if not route.startswith("t/<slug:slug>/")}
ACCESS: dict[str, Access | None] = {name: access_of(one.callback) for name, one in (PAGES | OTHERS).items()}
READ = sorted(name for name in PAGES if (access := ACCESS[name]) and access.read)
ACT = sorted(name for name in PAGES if (access := ACCESS[name]) and access.act)
# What anybody may open is written down once more: an address does not become one of these unseen.
OPEN = {
    *("home", "first_run", "choose_password", "account_login", "account_logout", "account_inactive"),
    *("account_signup", "account_reset_password", "mfa_authenticate", "mfa_login_webauthn"),
    *("microsoft_start", "microsoft_answer", "api_openapi"),
}


def test_every_address_says_who_may_open_it() -> None:
    assert [name for name, access in ACCESS.items() if access is None] == []
    assert {name for name, access in ACCESS.items() if access and access.tenant} == PAGES.keys()


def test_only_a_few_addresses_are_open_to_anybody() -> None:
    assert {name for name, access in ACCESS.items() if access and Audience.ANYBODY in (access.read, access.act)} == OPEN


@dataclass(frozen=True)
class World:
    """Made once, read by all tests here: what one of them changes is rolled back. `sessions`: keys by role."""

    facts: Mapping[str, Mapping[str, Any]]
    sessions: Mapping[str, str]
    browser: Client = field(default_factory=Client)

    def address(self, name: str, slug: str = SLUG) -> str:
        usual = {"object_type": "user", "target": "title", "key": "new", "kind": "group", "object_id": GROUP}
        more = {"half": "aws", "number": 1, "slug": SLUG, "uidb64": "MQ", "token": "a-b", "pk": 1, "code": "too-long"}
        named = usual | more | self.facts.get(name, {})
        converters = (PAGES | OTHERS)[name].pattern.converters
        of_tenant = {"slug": slug} if name in PAGES else {}
        return reverse(name, kwargs=of_tenant | {one: named[one] for one in converters})

    def client(self, role: str) -> Client:
        self.browser.cookies.clear()
        self.browser.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return self.browser


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


def make_world() -> World:
    tenant = create_tenant(actor=JO, name="Everybody's", slug=SLUG)
    with_versions(tenant)
    preview_of(tenant, with_draft(tenant))
    now = timezone.now()
    run = Run.objects.create(tenant=tenant, number=1, kind="full", trigger="person", state="completed", compared_at=now)
    DirectoryGroup.objects.create(tenant=tenant, object_id=GROUP)
    Standing.objects.create(tenant=tenant, kind="user", object_id=GROUP, word="in_aws", since=timezone.now())
    Drift.objects.create(tenant=tenant, run=run, kind=Drift.Kind.ONLY_IN_AWS, object_type="user", scim_id="u9")
    Link.objects.create(tenant=tenant, object_type="user", object_id=GROUP, scim_id="u7")
    only = Standing.objects.create(tenant=tenant, kind="user", scim_id="u9", word="only_in_aws", since=now)
    facts = {"limit": 1, "planned": 2}
    rows = {
        "connection_test": ConnectionTest.objects.create(tenant=tenant, half=Half.AWS, state="done"),
        "demand": Demand.objects.create(tenant=tenant, run=run),
        "approval": Hold.objects.create(tenant=tenant, kind="people", run=run, facts=facts),
        "only_in_aws_link": only,
        "only_in_aws_leave": only,
        "only_in_aws_undo": LeftAlone.objects.create(
            tenant=tenant, object_type="user", scim_id="u8", reason="Break glass"
        ),
        "decide_request": (asked := ChangeRequest.objects.create(tenant=tenant, kind="settings", asked_by=JO)),
        "withdraw_request": asked,
        "log": Operation.objects.filter(tenant=tenant).first(),
        "audit_entry": AuditEntry.objects.filter(tenant=tenant).first(),
        "site_audit_entry": AuditEntry.objects.first(),
    }
    incident = Incident.objects.create(tenant=tenant, code="token-refused", kind="quarantine", opened_at=timezone.now())
    rows["approval_export"] = rows["approval"]
    rows |= dict.fromkeys(("incident", "incident_acknowledge", "incident_snooze"), incident)
    rows |= dict.fromkeys(("channel", "channel_test", "channel_remove"), mail_to(tenant))
    numbered: dict[str, dict[str, Any]] = {name: {"pk": row.pk, "test_id": row.pk} for name, row in rows.items() if row}
    of_preview = ("impact", "impact_export", "impact_keep", "publish")
    numbered |= {name: {"number": PREVIEW} for name in of_preview} | {"channel_add": {"kind": "webhook"}}
    return World(numbered, sessions(tenant))


def sessions(tenant: Tenant) -> dict[str, str]:
    people = {str(role): person(f"{role}@acme.example", role, None if role is Role.OWNER else tenant) for role in Role}
    other = create_tenant(actor=JO, name="Other", slug="other")
    people[STRANGER] = person("eve@other.example", Role.CONFIGURATOR, other)
    return {name: session_of(user) for name, user in people.items()}


def session_of(user: User) -> str:
    client = Client()
    sign_in(client, user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def right_for(name: str, method: str) -> Right:
    access = ACCESS[name]
    assert access is not None
    return access.right_for(method)


def at_the_edge(needed: Needed) -> Iterable[Role]:
    """The least that may and the most that may not, and whoever stands beside; by night all of them."""
    if by_night():
        return Role
    if not isinstance(needed, Right):
        return (Role.VIEWER, Role.APPROVER, Role.OWNER)
    by_rights = sorted(Role, key=lambda role: len(RIGHTS[role]))
    most = [role for role in by_rights if needed not in RIGHTS[role]][-1:]
    return {next(role for role in by_rights if needed in RIGHTS[role]), Role.APPROVER, *most}


@pytest.mark.parametrize("name", READ)
def test_a_page_opens_for_every_role_with_the_right(world: World, name: str) -> None:
    needed = right_for(name, "GET")
    for role in at_the_edge(needed):
        answer = world.client(role).get(world.address(name), follow=True)
        assert answer.status_code == (200 if needed in RIGHTS[role] else 403), role


@pytest.mark.parametrize("path", MORE)
def test_every_role_reads_every_variant_of_a_page(world: World, path: str) -> None:
    assert {world.client(role).get(f"/t/{SLUG}/{path}").status_code for role in Role} == {200}


@pytest.mark.parametrize("name", ACT)
def test_acting_needs_the_right(world: World, name: str) -> None:
    needed = right_for(name, "POST")
    for role in at_the_edge(needed):
        for form in FORMS.get(name, [{}]):
            answer = world.client(role).post(world.address(name), form)
            assert (answer.status_code == 403) == (needed not in RIGHTS[role]), role
            assert answer.status_code < 500


def ways() -> Iterator[tuple[str, str, Callable[[Client, str], HttpResponse]]]:
    """Name and method of what every page takes."""
    yield from ((name, "GET", Client.get) for name in READ)
    yield from ((name, "POST", Client.post) for name in ACT)


def test_another_tenants_pages_do_not_exist_for_me(world: World) -> None:
    """To the letter, but for the address that was asked for, the number of the request and the time."""
    stranger = world.client(STRANGER)
    answers = {(name, method): send(stranger, world.address(name)) for name, method, send in ways()}
    assert {answer.status_code for answer in answers.values()} == {404}
    for name in READ[::10]:
        nobodys = stranger.get(world.address(name, "nowhere-at-all"))
        assert said_by(answers[name, "GET"]) == said_by(nobodys), name


def said_by(answer: HttpResponse) -> tuple[int, list[str], str]:
    text = answer.content.decode()
    for word in (SLUG, "nowhere-at-all", answer["X-Request-ID"]):
        text = text.replace(word, "")
    return answer.status_code, sorted(answer.headers), re.sub(r"\b\w{64}\b|<time.*?</time>|data-seconds=.\d+", "", text)


def test_what_belongs_to_one_tenant_is_not_found_under_the_address_of_another(world: World) -> None:
    """Not by an Owner either, who may see both."""
    owner, found = world.client(Role.OWNER), {}
    for name, method, send in ways():
        if {"pk", "test_id", "number", "object_id"} & set(PAGES[name].pattern.converters):
            found[name, method] = send(owner, world.address(name, "other")).status_code
    assert len(found) > 30
    assert set(found.values()) == {404}, {way: status for way, status in found.items() if status != 404}


def test_somebody_who_is_not_signed_in_is_sent_to_sign_in(world: World) -> None:
    visitor, htmx = Client(), Client(headers={"HX-Request": "true"})
    for name, method, send in ways():
        answer = send(visitor, world.address(name))
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in/"), (name, method)
        whole = send(htmx, world.address(name))
        assert (whole.status_code, whole["HX-Redirect"]) == (401, "/sign-in/"), (name, method)


def test_a_page_takes_no_other_method(world: World) -> None:
    owner = world.client(Role.OWNER)
    for name in list(PAGES | OTHERS)[:: 1 if by_night() else 4]:
        access = ACCESS[name]
        assert access is not None
        for method in {"GET", "POST", "PUT"} - set(access.methods):
            assert owner.generic(method, world.address(name)).status_code == 405, (name, method)


def ways_of_others() -> Iterator[tuple[str, str, Needed]]:
    """Name, method and what it needs, of what no tenant owns."""
    for name in sorted(OTHERS):
        access = ACCESS[name]
        assert access is not None
        yield from ((name, method, access.needed_for(method)) for method in ("GET", "POST") if method in access.methods)


@pytest.mark.parametrize(("name", "method", "needed"), list(ways_of_others()))
def test_pages_of_no_tenant_open_for_whom_the_table_says(world: World, name: str, method: str, needed: Needed) -> None:
    address = world.address(name)
    visitor = Client().generic(method, address)
    to_sign_in = visitor.status_code == 302 and visitor["Location"].startswith("/sign-in/?next=")
    assert to_sign_in == (needed is not Audience.ANYBODY)
    for role in at_the_edge(needed):
        answer = world.client(role).generic(method, address)
        allowed = not isinstance(needed, Right) or (role is Role.OWNER and needed in RIGHTS[role])
        assert (answer.status_code == 403) != allowed, role
        assert answer.status_code < 500


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
# Columns in which Entra, AWS or a person may have written anything.
NAMES = (
    *("name", "display_name", "detail_name", "user_principal_name", "title", "comment", "detail", "error"),
    *("match_name", "wanted_name", "proposed_name", "scim_name", "problem_detail", "actor", "object_name", "asked_by"),
)
# What the policy of our pages would stop: scripts, styles and handlers that stand in the page, and addresses that are scripts.
INLINE = re.compile(
    r"<script(?![^>]*\ssrc=)|<style|<[^>]*\s(?:style|on[a-z]+|hx-on\S*|srcdoc)=|=.javascript:", re.IGNORECASE
)
VALUE = re.compile(r"""=("|')(?!javascript:)[^"]*?\1""")


# PostgreSQL is stricter about what a page asks it: each is opened there too.
@pytest.mark.both
def test_whatever_is_in_a_name_is_text_on_every_page(world: World) -> None:
    for model in apps.get_models():
        columns = [
            one for one in model._meta.get_fields() if one.name in NAMES and isinstance(one, CharField | TextField)
        ]
        # PostgreSQL changes no entry of the audit log, so one is made.
        if columns and model._meta.app_label in ("sync", "portal") and model is not AuditEntry:
            make_hostile(model, columns)
    audit.record(HOSTILE, "tenant.change", Tenant.objects.get(slug=SLUG), {"name": HOSTILE}, {"name": f"{HOSTILE}!"})
    owner, shown = world.client(Role.OWNER), 0
    for address in [*(world.address(name) for name in READ), *(f"/t/{SLUG}/{path}" for path in MORE)]:
        answer = owner.get(address, follow=True)
        if answer["Content-Type"].startswith("text/html"):
            page = answer.content.decode()
            shown += "&lt;script&gt;alert(1)" in page
            assert "<script>alert" not in page, address
            assert "<img src=x" not in page, address
            assert INLINE.search(VALUE.sub("=", page)) is None, address
    assert shown > 20


def make_hostile(model: type[Model], columns: list[Any]) -> None:
    """Unique ones differ by their key; what is too short for it stays."""
    for row in model._default_manager.all():
        texts = {one.name: f"{HOSTILE}{row.pk if one.unique else ''}" for one in columns if not one.choices}
        fitting = {
            name: text for name, text in texts.items() if len(text) <= (model._meta.get_field(name).max_length or 999)
        }
        model._default_manager.filter(pk=row.pk).update(**fitting)


# A field of SCIM, and what AWS's console says.
ELSEWHERE = {"title", "SCIM endpoint", "Enable"}


def test_every_page_speaks_german_alone(world: World) -> None:
    """Of what the catalogue translates. What programs are told is English, and so is the page about it."""
    english, left = translated_into("de") - ELSEWHERE, {}
    read = [*READ, *(name for name, method, _needed in ways_of_others() if method == "GET" and name != "api_docs")]
    for address in [*(world.address(name) for name in read), *(f"/t/{SLUG}/{path}" for path in MORE)]:
        answer = world.client(Role.OWNER).get(address, headers={"Accept-Language": "de"}, follow=True)
        assert answer.status_code < 500, address
        if answer["Content-Type"].startswith("text/html"):
            left[address] = texts_of(answer.content.decode()) & english
    assert len(left) > 80
    assert {address: texts for address, texts in left.items() if texts} == {}


def translated_into(language: str) -> set[str]:
    """Messages that stand on a page as they are, and read otherwise in this language."""
    path = settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / "django.mo"
    with path.open("rb") as file:
        found = read_mo(file)
    whole = {one.id for one in found if isinstance(one.id, str) and one.id != one.string}
    return {text for text in whole if len(text) > 2 and "%(" not in text}


def texts_of(page: str) -> set[str]:
    """Between tags, and in attributes that are read out. Names of people and code are in no language."""
    shown = re.sub(r"<(script|code|bdi|kbd)\b.*?</\1>", "<>", page, flags=re.DOTALL)
    found = re.findall(r">([^<>]+)<", shown) + re.findall(
        r'(?:title|aria-label|placeholder|data-label)="([^"]+)"', shown
    )
    return {html.unescape(text).strip() for text in found}


def test_nothing_is_done_without_the_form_s_own_token(world: World) -> None:
    """Another site can send a form with the person's cookie, but not with the token of our page."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[settings.SESSION_COOKIE_NAME] = world.sessions[Role.OWNER]
    acting = [*ACT, *(name for name, method, _needed in ways_of_others() if method == "POST")]
    assert len(acting) > 60
    for number, name in enumerate(acting):
        for method in ("POST", *(("PUT", "PATCH", "DELETE") if by_night() or number % 4 == 0 else ())):
            answer = strict.generic(method, world.address(name))
            assert answer.status_code == 403 or (method != "POST" and answer.status_code == 405), (name, method)


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://testserver", 302), ("https://evil.example", 403), ("null", 403), ("http://testserver:8001", 403)],
)
def test_a_token_from_another_site_counts_for_nothing(owner: User, tenant: Tenant, origin: str, status: int) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"Origin": origin})
    sign_in(strict, owner)
    strict.get("/t/acme/provisioning/")
    form = {"interval": 15, "csrfmiddlewaretoken": strict.cookies[settings.CSRF_COOKIE_NAME].value}
    assert strict.post("/t/acme/provisioning/", form).status_code == status


@pytest.mark.parametrize(("header", "status"), [("Host", 400), ("X-Forwarded-Host", 200), ("X-Original-Url", 200)])
def test_only_our_own_host_is_believed(header: str, status: int) -> None:
    answer = Client(headers={header: "evil.example"}).get("/sign-in/")
    assert answer.status_code == status
    assert "evil.example" not in answer.content.decode()


def test_a_refusal_names_the_role_and_the_owners(
    tenant: Tenant, owner: User, viewer: User, client_of: Callable[[User], Client]
) -> None:
    page = client_of(viewer).get("/t/acme/provisioning/turn-on/").content.decode()
    assert "Operator role" in page
    assert str(owner) in page


def test_an_account_without_any_role_learns_no_names(
    tenant: Tenant, owner: User, client_of: Callable[[User], Client]
) -> None:
    answer = client_of(User.objects.create_user("new@acme.example", "correct horse battery")).get("/t/new/")
    assert answer.status_code == 403
    # As a word: a token may well have two such letters.
    assert re.search(rf"\b{owner}\b", answer.content.decode()) is None
    assert owner.email not in answer.content.decode()


def test_rights_add_up_and_the_approver_stands_beside(tenant: Tenant) -> None:
    approver = person("app@acme.example", Role.APPROVER, tenant)
    assert rights_of(approver, tenant) == {Right.READ, Right.APPROVE}
    assert (
        RIGHTS[Role.VIEWER]
        < RIGHTS[Role.HELPDESK]
        < RIGHTS[Role.OPERATOR]
        < RIGHTS[Role.CONFIGURATOR]
        < RIGHTS[Role.OWNER]
    )
