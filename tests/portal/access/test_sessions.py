"""How long a session lasts, and how it is ended from elsewhere."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from portal.access import sessions
from portal.models import SignedIn, User
from portal.tasks import clean_up
from sync.models import AuditEntry, Tenant

LOGS = "/t/acme/logs/"
HTMX = {"HX-Request": "true"}
MINUTE = 60


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [time.time()]
    monkeypatch.setattr("portal.access.sessions.time.time", lambda: now[0])

    def goes_on(seconds: float) -> None:
        now[0] += seconds

    return goes_on


@pytest.fixture
def tom(tenant: Tenant, viewer: User, client_of: Callable[[User], Client], clock: Any) -> Client:
    return client_of(viewer)


def is_in(client: Client) -> bool:
    return client.get(LOGS).status_code == 200


def test_half_an_hour_without_anything_ends_it(tom: Client, clock: Callable[[float], None]) -> None:
    clock(29 * MINUTE)
    assert is_in(tom)
    clock(29 * MINUTE)
    assert is_in(tom)
    clock(31 * MINUTE)
    answer = tom.get(LOGS, follow=True)
    assert answer.redirect_chain == [("/sign-in/?next=/t/acme/logs/", 302)]
    assert "You were signed out" in answer.content.decode()


def test_what_a_page_asks_by_itself_keeps_nothing_alive(tom: Client, clock: Callable[[float], None]) -> None:
    for _ in range(31):
        clock(MINUTE)
        answer = tom.get("/t/acme/run-pill/", headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/sign-in/")
    assert not is_in(tom)


def test_twelve_hours_after_signing_in_it_is_over_whatever_is_done(tom: Client, clock: Callable[[float], None]) -> None:
    for _ in range(12 * 6 - 1):
        clock(10 * MINUTE)
        assert is_in(tom)
        tom.post("/t/acme/mappings/cast/", {"pin": "x"})
    clock(10 * MINUTE + 1)
    assert not is_in(tom)


def test_the_rest_of_its_time_is_told_and_one_press_stays(tom: Client, clock: Callable[[float], None]) -> None:
    clock(28 * MINUTE)
    assert tom.get("/me/session/", headers=HTMX).json() == {"seconds": 2 * MINUTE}
    assert tom.post("/me/session/", headers=HTMX).json() == {"seconds": 30 * MINUTE}


def test_signing_in_makes_another_session_key(viewer: User, client_of: Callable[[User], Client]) -> None:
    client = Client()
    client.get("/sign-in/")
    before = client.session.session_key
    client.force_login(viewer)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before


def test_after_signing_out_the_old_key_opens_nothing_and_what_it_held_is_gone(tom: Client) -> None:
    key = tom.cookies[settings.SESSION_COOKIE_NAME].value
    tom.post("/sign-out/")
    old = Client()
    old.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not is_in(old)
    assert not Session.objects.filter(session_key=key).exists()


def test_one_sees_where_one_is_signed_in_and_signs_out_there(
    tenant: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    here, there = client_of(viewer), client_of(viewer)
    key = there.cookies[settings.SESSION_COOKIE_NAME].value
    row = SignedIn.objects.get(session_key=key)
    page = here.get("/me/security/").content.decode()
    assert page.count("Sign out there") == 1
    assert "this browser" in page
    assert here.post(f"/me/security/sessions/{row.pk}/end/").status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert AuditEntry.objects.filter(verb="user.end_sessions", actor=viewer.email).exists()


def test_everywhere_else_at_once(tenant: Tenant, viewer: User, client_of: Callable[[User], Client]) -> None:
    here, there, third = (client_of(viewer) for _ in range(3))
    here.post("/me/security/sessions/end/")
    assert [is_in(one) for one in (here, there, third)] == [True, False, False]


def test_another_person_s_session_is_not_mine_to_end(
    tenant: Tenant, viewer: User, owner: User, client_of: Callable[[User], Client]
) -> None:
    theirs = client_of(owner)
    row = SignedIn.objects.get(user=owner)
    client_of(viewer).post(f"/me/security/sessions/{row.pk}/end/")
    assert is_in(theirs)


def test_a_changed_password_ends_all_others_and_this_one_is_listed_on(
    tenant: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    here, there = client_of(viewer), client_of(viewer)
    form = {"current": "correct horse battery", "password": "another quiet river"}
    assert here.post("/me/password/", form).status_code == 302
    assert is_in(here)
    assert not is_in(there)
    keys = {row.session_key for row in sessions.sessions_of(viewer)}
    assert here.cookies[settings.SESSION_COOKIE_NAME].value in keys


def test_what_is_over_is_cleared_away(
    tenant: Tenant, viewer: User, client_of: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client_of(viewer)
    alive = client_of(viewer).cookies[settings.SESSION_COOKIE_NAME].value
    Session.objects.exclude(session_key=alive).update(expire_date="2020-01-01T00:00:00Z")
    clean_up()
    assert [row.session_key for row in SignedIn.objects.all()] == [alive]
    assert list(Session.objects.values_list("session_key", flat=True)) == [alive]
