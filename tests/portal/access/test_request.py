"""Numbers that come in with a request: plain digits that a row's number has room for, or none."""

from collections.abc import Callable

import pytest
from django.test import Client

from portal.access.request import whole_number
from portal.models import User
from sync.models import Hold, Run, Tenant
from tests.world.drafted import preview_of, with_draft, with_versions

NO_NUMBERS = ["²", "٣", "1" * 19, "1" * 5_000, "-1", "1.5", "0x1", " 1", "1_000", ""]
ASKING = [
    "versions/?older={}",
    "versions/?before={}&after={}",
    "logs/?before={}",
    "logs/?after={}",
    "logs/?op={}",
    "runs/?before={}",
    "runs/1/?before={}",
    "draft/impact/90/?page={}",
    "draft/impact/90/?seen={}",
    "approvals/1/?from={}",
    "scope/people/?of=clause&filter=x&clause={}",
    "configuration/export/?version={}",
    "assignments/?page={}",
    "assignments/?people={}",
]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_anything_but_plain_digits_is_no_number(text: str) -> None:
    assert whole_number(text) is None


@pytest.mark.parametrize("text", ["0", "007", "9" * 18])
def test_plain_digits_are_a_number(text: str) -> None:
    assert whole_number(text) == int(text)


@pytest.fixture
def jo(tenant: Tenant, owner: User, client_of: Callable[[User], Client]) -> Client:
    with_versions(tenant)
    run = preview_of(tenant, with_draft(tenant))
    Run.objects.create(tenant=tenant, number=1, kind="full", trigger="person", state="completed")
    Hold.objects.create(pk=1, tenant=tenant, kind="people", run=run, facts={"limit": 3, "planned": 3, "week": 5})
    return client_of(owner)


@pytest.mark.parametrize("text", ["²", "9" * 18, "1" * 5_000])
def test_a_page_bears_any_number(jo: Client, text: str) -> None:
    for address in ASKING:
        assert jo.get(f"/t/acme/{address.format(text, text)}").status_code in (200, 204, 404), address


@pytest.mark.parametrize("text", ["²", "9" * 18, "1" * 5_000])
def test_a_form_bears_any_number(jo: Client, tenant: Tenant, text: str) -> None:
    run = Run.objects.get(tenant=tenant, number=90)
    assert jo.post("/t/acme/scope/settings/", {"draft": text}).status_code < 500
    assert jo.post("/t/acme/scope/filters/new/", {"do": f"take:{text}"}).status_code < 500
    assert (
        jo.post("/t/acme/approvals/1/", {"shown": text, "ticked": text, "upto": text, "keep_one": text}).status_code
        < 500
    )
    form = {"kind": "direct", "source": "mail", "apply": "always", "target": "title", "seen": "x", "draft": text}
    assert jo.post("/t/acme/mappings/people/title/", form).status_code < 500
    assert jo.post("/t/acme/provisioning/turn-on/", {"plan": text}).status_code < 500
    assert jo.post(f"/t/acme/runs/{run.number}/confirm/", {"plan": text}).status_code < 500
