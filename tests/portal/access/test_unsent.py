"""A form that arrives after its session ended waits for its person, and for nobody else."""

import time
from collections.abc import Callable

import pytest
from django.test import Client

from portal.models import User
from sync.configuration.editing import revision
from sync.models import Tenant
from tests.world.people import sign_in

SETTINGS, WAITS = "/t/acme/settings/", "/sign-in/unsent/"
WRITTEN = {"name": "Acme <b>&</b> Sons", "slug": "acme", "time_zone": "UTC", "csrfmiddlewaretoken": "x"}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def jo(tenant: Tenant, owner: User, client_of: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch) -> Client:
    """Half an hour later."""
    now = time.time() + 31 * 60
    client = client_of(owner)
    monkeypatch.setattr("portal.access.sessions.time.time", lambda: now)
    return client


def test_after_signing_in_it_is_shown_and_one_press_sends_it(jo: Client, tenant: Tenant, owner: User) -> None:
    form = WRITTEN | {"seen": revision(tenant)}
    assert jo.post(SETTINGS, form)["Location"] == f"/sign-in/?next={WAITS}"
    sign_in(jo, owner)
    page = jo.get(WAITS).content.decode()
    assert f'action="{SETTINGS}"' in page
    assert '<input type="hidden" name="name" value="Acme &lt;b&gt;&amp;&lt;/b&gt; Sons">' in page
    tenant.refresh_from_db()
    assert tenant.name == "Acme"
    assert jo.post(SETTINGS, form).status_code == 302
    tenant.refresh_from_db()
    assert tenant.name == WRITTEN["name"]
    assert "Nothing of yours waits here." in jo.get(WAITS).content.decode()


def test_it_waits_too_when_something_else_heard_first_that_the_session_ended(jo: Client, owner: User) -> None:
    assert jo.get("/me/session/", headers=HTMX)["HX-Redirect"] == "/sign-in/"
    assert jo.post(SETTINGS, WRITTEN)["Location"] == f"/sign-in/?next={WAITS}"
    sign_in(jo, owner)
    assert "Sons" in jo.get(WAITS).content.decode()


def test_an_htmx_form_waits_too(jo: Client) -> None:
    answer = jo.post(SETTINGS, WRITTEN, headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (401, f"/sign-in/?next={WAITS}")


def test_nobody_else_sees_it(jo: Client, owner: User, viewer: User) -> None:
    jo.post(SETTINGS, WRITTEN)
    sign_in(jo, viewer)
    assert "Sons" not in jo.get(WAITS).content.decode()
    sign_in(jo, owner)
    assert "Sons" not in jo.get(WAITS).content.decode()


def test_a_secret_waits_nowhere(jo: Client) -> None:
    answer = jo.post("/t/acme/connection/aws/", {"token": "canary-of-a-token"})
    assert answer["Location"] == "/sign-in/?next=/t/acme/connection/aws/"
    jo.post("/me/password/", {"password": "canary-of-a-password"})
    assert "canary" not in str(jo.session.items())


def test_what_is_large_is_not_kept(jo: Client) -> None:
    assert jo.post(SETTINGS, WRITTEN | {"name": "x" * 65536})["Location"] == f"/sign-in/?next={SETTINGS}"
    assert "xxx" not in str(jo.session.items())


def test_a_stranger_s_form_is_not_kept(tenant: Tenant) -> None:
    stranger = Client()
    assert stranger.post(SETTINGS, WRITTEN)["Location"] == f"/sign-in/?next={SETTINGS}"
    assert not stranger.session.keys()
