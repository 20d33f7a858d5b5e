"""What matters most asks again who is there."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from portal.access.step_up import StepUp
from portal.models import User
from portal.pages.provisioning.safety_form import SafetyForm
from sync.models import Tenant
from tests.portal.access.test_pages import ACCESS
from tests.world.people import PASSWORD, code_of_app, long_ago

SAFETY = "/t/acme/provisioning/safety/"
TO_OPEN = {"connection_entra", "connection_aws", "credential_renewal", "channel", "channel_add"}
TO_ACT = {
    *("approval", "decide_request", "approvals_link", "accept_shrinkage", "run_confirm", "turn_on", "resume"),
    *("only_in_aws_link", "only_in_aws_undo", "drift_left_undo", "person_match", "person_cut"),
    *("publish", "provisioning_safety", "user_invite", "user_role", "user_role_take", "user_reset", "user_sessions"),
    *("user_second_factor", "user_deactivate", "user_activate", "user_remove", "token_new", "token_revoke"),
    "tenant_delete",
}


@pytest.fixture
def jo(tenant: Tenant, owner: User, client_of: Callable[[User], Client]) -> Client:
    client = client_of(owner)
    long_ago(client)
    return client


def limits(tenant: Tenant) -> dict[str, Any]:
    form = SafetyForm(tenant=tenant)
    return {name: form[name].value() or "" for name in form.fields} | {"people_percent": 7}


def test_the_pages_that_ask_are_these() -> None:
    asking = {step: {name for name, access in ACCESS.items() if access and access.step_up is step} for step in StepUp}
    assert asking == {StepUp.TO_OPEN: TO_OPEN, StepUp.TO_ACT: TO_ACT}


def test_limits_wait_for_the_second_factor_and_are_then_saved(jo: Client, tenant: Tenant) -> None:
    answer = jo.post(SAFETY, limits(tenant))
    assert unquote(answer["Location"]) == f"/sign-in/again/code/?next={SAFETY}"
    tenant.refresh_from_db()
    assert tenant.limits.get("people_percent") != 7
    jo.post(answer["Location"], {"code": code_of_app()})
    tenant.refresh_from_db()
    assert tenant.limits["people_percent"] == 7


def test_whoever_has_just_confirmed_is_not_asked_again(jo: Client, tenant: Tenant) -> None:
    jo.post("/sign-in/again/code/", {"code": code_of_app()})
    assert "/sign-in/" not in jo.post(SAFETY, limits(tenant)).get("Location", "")
    tenant.refresh_from_db()
    assert tenant.limits["people_percent"] == 7


def test_a_wrong_code_carries_nothing_out(jo: Client, tenant: Tenant) -> None:
    answer = jo.post(SAFETY, limits(tenant))
    assert jo.post(answer["Location"], {"code": "000000"}).status_code == 200
    tenant.refresh_from_db()
    assert tenant.limits.get("people_percent") != 7


def test_a_password_does_not_stand_in_for_the_second_factor(jo: Client) -> None:
    answer = jo.post("/sign-in/again/", {"password": PASSWORD})
    assert answer["Location"] == "/sign-in/again/code/"


def test_the_form_of_a_secret_asks_before_it_opens(jo: Client) -> None:
    page = "/t/acme/connection/entra/"
    assert jo.get(page)["Location"] == f"/sign-in/again/code/?next={page}"
    assert jo.get(page, headers={"HX-Request": "true"})["HX-Redirect"] == "/sign-in/again/code/?next=" + page
    answer = jo.post("/sign-in/again/code/?next=" + page, {"code": code_of_app()})
    assert answer["Location"] == page
    assert jo.get(page).status_code == 200


def test_a_secret_that_comes_too_late_waits_nowhere(jo: Client) -> None:
    answer = jo.post("/t/acme/connection/aws/", {"token": "canary-of-a-token", "endpoint": "x"}, follow=True)
    assert "Nothing was saved yet." in answer.content.decode()
    assert "canary" not in str(jo.session.items())


def test_a_form_too_large_to_wait_is_not_kept_in_the_session(jo: Client, tenant: Tenant) -> None:
    """A session is read at every request."""
    answer = jo.post(SAFETY, limits(tenant) | {"never_touch": "canary" * 20_000}, follow=True)
    assert "Nothing was saved yet." in answer.content.decode()
    assert "canary" not in str(jo.session.items())


def test_an_htmx_press_takes_the_whole_page_to_the_question(jo: Client, tenant: Tenant) -> None:
    answer = jo.post(SAFETY, limits(tenant), headers={"HX-Request": "true"})
    assert (answer.status_code, unquote(answer["HX-Redirect"])) == (401, f"/sign-in/again/code/?next={SAFETY}")


def test_rights_are_asked_first(tenant: Tenant, viewer: User, client_of: Callable[[User], Client]) -> None:
    client = client_of(viewer)
    long_ago(client)
    assert client.post(SAFETY).status_code == 403
    assert client.get("/t/acme/connection/entra/").status_code == 403


def test_somebody_without_a_second_factor_confirms_with_the_password(
    tenant: Tenant, owner: User, client_of: Callable[[User], Client], settings: Any
) -> None:
    """As in the demo once something real is connected, before the second factor is set up: this one asks for it first."""
    Authenticator.objects.all().delete()
    client = client_of(owner)
    long_ago(client)
    assert client.get("/t/acme/connection/entra/")["Location"].startswith("/me/security/")
    assert client.get("/me/security/app/")["Location"].startswith("/sign-in/again/")
    client.post("/sign-in/again/?next=/me/security/app/", {"password": PASSWORD})
    assert client.get("/me/security/app/").status_code == 200
