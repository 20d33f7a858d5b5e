"""Signing in, and the pages of one's own account, in a real browser."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY as RECORDS
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, CDPSession, Page, Route, expect

from portal.access import first_run, users
from portal.access.sessions import SEEN_AT
from portal.models import Role, User
from sync.models import Tenant
from tests.world.browser import PASSWORD, Watched, axe_in_both_schemes, set_up_app, sideways
from tests.world.chromium import STILL
from tests.world.lab import Lab
from tests.world.people import code_of_app

pytestmark = pytest.mark.django_db(transaction=True)
Open = Callable[[User | None], Page]


def check(page: Page, where: str) -> None:
    """As the page stands: accessible in light and dark, and no wider than a phone."""
    assert axe_in_both_schemes(page) == [], where
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 800})
    assert sideways(page) == 0, where
    assert page.locator("h1").count() == 1, where
    page.set_viewport_size(size or {"width": 1280, "height": 800})


def sign_in_by_password(page: Page, address: str, email: str, password: str) -> None:
    page.goto(f"{address}/sign-in/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_the_first_owner_s_page_is_accessible_and_fits(open_page: Open, live_server: Any) -> None:
    first_run.issue_code()
    page = open_page(None)
    page.goto(f"{live_server.url}/first-run/")
    check(page, "first run")


def test_somebody_invited_chooses_a_password_sets_up_an_app_and_signs_in_with_both(
    tenant: Tenant, open_page: Open, live_server: Any, watched: Watched
) -> None:
    watched.allowed.add(422)
    facts = {"email": "ann@acme.example", "name": "Ann " + "of a long name " * 12}
    ann = users.add_user(actor="jo@acme.example", role=Role.OPERATOR, tenant=tenant, **facts)
    page = open_page(None)
    page.goto(users.password_link(ann).replace("http://localhost:8000", live_server.url))
    page.get_by_label("Password").fill("Password1234")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".ls-summary")).to_be_focused()
    check(page, "choose a password")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your password is saved. Sign in with it.")).to_be_visible()

    sign_in_by_password(page, live_server.url, ann.email, PASSWORD)
    expect(page.get_by_role("heading", name="Sign-in and security")).to_be_visible()
    expect(page.get_by_text("It needs a second factor besides the password")).to_be_visible()
    check(page, "security, wanted")
    page.get_by_role("link", name="Set up an app").click()
    check(page, "app")
    page.goto(f"{live_server.url}/me/security/")
    key = set_up_app(page)
    page.goto(f"{live_server.url}/me/security/codes/")
    check(page, "recovery codes")
    page.goto(f"{live_server.url}/t/acme/logs/")
    expect(page.get_by_role("heading", name="Logs")).to_be_visible()

    sign_out(page, live_server.url)
    sign_in_by_password(page, live_server.url, ann.email, PASSWORD)
    page.get_by_label("Code").fill("123456")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".ls-summary")).to_be_focused()
    check(page, "second step")
    # The app's next code: the one that set it up was used already.
    page.get_by_label("Code").fill(code_of_app(key, periods=1))
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{live_server.url}/t/acme/setup/")


@dataclass
class Keeper:
    """The authenticator of a device, which a test plays over CDP. `verifies`: it sees the finger that it knows."""

    session: CDPSession
    name: str

    @classmethod
    def of(cls, page: Page, *, verifies: bool = True) -> "Keeper":
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        options = kind | {"isUserVerified": verifies, "automaticPresenceSimulation": True}
        made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return cls(session, made["authenticatorId"])

    def sees_the_finger(self, known: bool) -> None:
        facts = {"authenticatorId": self.name, "isUserVerified": known}
        self.session.send("WebAuthn.setUserVerified", facts)

    def credentials(self) -> list[dict[str, Any]]:
        found = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.name})
        credentials: list[dict[str, Any]] = found["credentials"]
        return credentials


def add_passkey(page: Page, address: str) -> None:
    page.goto(f"{address}/me/security/passkeys/add/")
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_role("button", name="Add the passkey").click()


def sign_out(page: Page, address: str) -> None:
    page.goto(f"{address}/sign-out/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def newcomer(tenant: Tenant) -> User:
    """An Operator without a second factor."""
    person = users.add_user(
        actor="jo@acme.example", email="new@acme.example", name="Newcomer", role=Role.OPERATOR, tenant=tenant
    )
    users.choose_password(user=person, password=PASSWORD)
    return person


def test_a_passkey_signs_in_alone_and_confirms(tenant: Tenant, open_page: Open, live_server: Any) -> None:
    page = open_page(None)
    keeper = Keeper.of(page)
    sign_in_by_password(page, live_server.url, newcomer(tenant).email, PASSWORD)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_text("they are shown only now")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(f"{live_server.url}/t/acme/setup/")
    assert keeper.credentials()[0]["isResidentCredential"]

    sign_out(page, live_server.url)
    page.goto(f"{live_server.url}/sign-in/?next=/t/acme/logs/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{live_server.url}/t/acme/logs/")

    page.goto(f"{live_server.url}/sign-in/again/passkey/?next=/me/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{live_server.url}/me/")

    # Looking at a page ends what plays the authenticator.
    for path in ("me/security/passkeys/add/", "sign-in/again/passkey/", "me/security/"):
        page.goto(f"{live_server.url}/{path}")
        check(page, path)
    page.get_by_role("link", name="Remove Passkey 1").click()
    check(page, "remove the passkey")
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Your role needs a second factor.")).to_be_visible()


def test_a_passkey_is_the_second_step_after_the_password(tenant: Tenant, open_page: Open, live_server: Any) -> None:
    page = open_page(None)
    Keeper.of(page)
    sign_in_by_password(page, live_server.url, newcomer(tenant).email, PASSWORD)
    add_passkey(page, live_server.url)
    expect(page.get_by_text("they are shown only now")).to_be_visible()
    sign_out(page, live_server.url)
    sign_in_by_password(page, live_server.url, "new@acme.example", PASSWORD)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{live_server.url}/t/acme/setup/")
    sign_out(page, live_server.url)
    sign_in_by_password(page, live_server.url, "new@acme.example", PASSWORD)
    check(page, "second step with a passkey")


def ask_for_no_finger(route: Route) -> None:
    if route.request.method == "POST":
        route.continue_()
        return
    answer = route.fetch()
    options = answer.json()
    options["request_options"]["publicKey"]["userVerification"] = "discouraged"
    route.fulfill(response=answer, json=options)


def test_a_passkey_that_does_not_check_who_holds_it_is_refused(
    tenant: Tenant, open_page: Open, live_server: Any
) -> None:
    page = open_page(None)
    keeper = Keeper.of(page, verifies=False)
    sign_in_by_password(page, live_server.url, newcomer(tenant).email, PASSWORD)
    add_passkey(page, live_server.url)
    expect(page.get_by_text("No passkey was made.")).to_be_visible()
    assert not Authenticator.objects.exists()
    keeper.sees_the_finger(True)
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_text("they are shown only now")).to_be_visible()
    sign_out(page, live_server.url)
    keeper.sees_the_finger(False)
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("No passkey was used.")).to_be_visible()

    # A browser that does as it likes: the server looks for itself.
    page.route("**/sign-in/passkey/", ask_for_no_finger)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("This code or passkey is not right")).to_be_visible()
    page.goto(f"{live_server.url}/t/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_passkey_that_was_removed_signs_nobody_in(tenant: Tenant, open_page: Open, live_server: Any) -> None:
    page = open_page(None)
    Keeper.of(page)
    sign_in_by_password(page, live_server.url, newcomer(tenant).email, PASSWORD)
    add_passkey(page, live_server.url)
    expect(page.get_by_text("they are shown only now")).to_be_visible()
    sign_out(page, live_server.url)
    Authenticator.objects.all().delete()
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("This code or passkey is not right")).to_be_visible()


def test_who_has_no_second_factor_confirms_with_the_password(
    viewer: User, tenant: Tenant, open_page: Open, live_server: Any
) -> None:
    Authenticator.objects.all().delete()
    page = open_page(viewer)
    page.goto(f"{live_server.url}/sign-in/again/?next=/me/")
    check(page, "again, by password")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url(f"{live_server.url}/me/")


def of_session(page: Page) -> SessionBase:
    cookie = next(one for one in page.context.cookies() if one["name"] == settings.SESSION_COOKIE_NAME)
    return SessionStore(cookie["value"])


def test_two_minutes_before_the_end_somebody_is_asked_and_may_stay(
    tenant: Tenant, owner: User, open_page: Open, live_server: Any
) -> None:
    page = open_page(owner)
    session = of_session(page)
    session[SEEN_AT] = time.time() - settings.SESSION_IDLE_SECONDS + 121
    session.save()
    # A person's own request would count as something that was done.
    page.set_extra_http_headers({"HX-Request": "true"})
    page.goto(f"{live_server.url}/me/security/")
    page.set_extra_http_headers({})
    dialog = page.get_by_role("dialog", name="Are you still there?")
    expect(dialog).to_contain_text("You will be signed out at")
    dialog.get_by_role("button", name="Stay signed in").click()
    expect(dialog).to_be_hidden()
    assert of_session(page)[SEEN_AT] > time.time() - 60


@pytest.mark.parametrize("heard_first", ["by the form", "by what the page asks by itself"])
def test_what_was_being_written_when_the_session_ended_is_there_after_signing_in_again(
    tenant: Tenant, owner: User, open_page: Open, live_server: Any, watched: Watched, heard_first: str
) -> None:
    watched.allowed.add(401)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/settings/")
    page.get_by_label("Name").fill("Acme & Sons")
    session = of_session(page)
    session[SEEN_AT] = time.time() - settings.SESSION_IDLE_SECONDS - 1
    session.save()
    if heard_first == "by the form":
        page.get_by_role("button", name="Save").click()
    else:
        page.evaluate("htmx.ajax('GET', document.getElementById('run-pill').getAttribute('hx-get'), '#run-pill')")
    expect(page.get_by_text("You were signed out, since nothing was done for a while.")).to_be_visible()
    page.get_by_label("E-mail").fill(owner.email)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code").fill(code_of_app())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Not saved yet")).to_be_visible()
    expect(page.get_by_text("Acme & Sons")).to_be_visible()
    check(page, "not saved yet")
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    tenant.refresh_from_db()
    assert tenant.name == "Acme & Sons"


def test_after_signing_out_the_browser_holds_nothing(
    tenant: Tenant, owner: User, open_page: Open, live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/logs/")
    expect(page.get_by_role("heading", name="Logs")).to_be_visible()
    sign_out(page, live_server.url)
    for _ in range(2):
        page.go_back()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    # Where the tab is: htmx's own.
    assert page.evaluate("Object.keys(sessionStorage)") == ["htmx-current-path-for-history"]


def test_limits_are_saved_after_the_second_factor_was_given_again(
    tenant: Tenant, owner: User, open_page: Open, live_server: Any
) -> None:
    page = open_page(owner)
    session = of_session(page)
    session[RECORDS] = [record | {"at": time.time() - 3600} for record in session[RECORDS]]
    session.save()
    page.goto(f"{live_server.url}/t/acme/provisioning/")
    page.locator("#id_people_percent").fill("7")
    page.locator("form", has=page.locator("#id_people_percent")).get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    page.get_by_label("Code").fill(code_of_app())
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Saved. The next sync follows these settings.")).to_be_visible()
    tenant.refresh_from_db()
    assert tenant.limits["people_percent"] == 7


@pytest.fixture
def at_microsoft(lab: Lab, tenant: Tenant, live_server: Any, settings: Any) -> Lab:
    """The lab's Entra signs people in; its role `Lockstep.Operator` brings Operator of the tenant."""
    settings.PUBLIC_URL = live_server.url
    settings.EXTRA_CLOUDS = lab.clouds
    app = {"directory_id": lab.facts["directory_id"], "client_id": lab.facts["client_id"], "cloud": "lab"}
    roles = {"Lockstep.Operator": {"role": "operator", "tenant": "acme"}}
    settings.MICROSOFT_SIGN_IN = app | {"roles": roles}
    settings.MICROSOFT_SIGN_IN_SECRET = lab.facts["client_secret"]
    return lab


def test_sign_in_with_microsoft_and_its_refusals(at_microsoft: Lab, browser: Browser, live_server: Any) -> None:
    lab = at_microsoft
    ann = f"ann@{lab.facts['domain']}"
    lab.call("POST", "entra/hire", {"displayName": "Ann Admin", "userPrincipalName": ann})
    with browser.new_context(ignore_https_errors=True, **STILL) as context:
        page = context.new_page()

        def go_through() -> None:
            page.goto(f"{live_server.url}/sign-in/?next=/t/acme/logs/")
            page.get_by_role("link", name="Sign in with Microsoft").click()
            page.get_by_label("User principal name").fill(ann)
            page.get_by_role("button", name="Sign in").click()

        lab.call("POST", "entra/sign-in", {"roles": {}, "amr": ["pwd", "mfa"], "flaw": ""})
        go_through()
        expect(page.get_by_text(f"Nothing in Entra gives {ann} a role here.")).to_be_visible()
        check(page, "sign-in with Microsoft")
        lab.call("POST", "entra/sign-in", {"roles": {ann: ["Lockstep.Operator"]}, "flaw": "nonce"})
        go_through()
        expect(page.get_by_text("it belongs to another sign-in")).to_be_visible()
        lab.call("POST", "entra/sign-in", {"flaw": "audience"})
        go_through()
        expect(page.get_by_text("The id token is refused")).to_be_visible()
        lab.call("POST", "entra/sign-in", {"flaw": ""})
        go_through()
        expect(page).to_have_url(f"{live_server.url}/t/acme/logs/")
