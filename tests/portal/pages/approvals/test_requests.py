"""What waits for a second person: shown with who asked and what it changes, approved by another, refused to oneself."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import Role, User
from sync.models import ChangeRequest, Delivery, HeldChange, Hold, Run, Tenant
from tests.portal.pages.provisioning.test_safety_form import PATH as SAFETY
from tests.portal.pages.provisioning.test_safety_form import form
from tests.world.people import person

pytestmark = pytest.mark.django_db
APPROVALS = "/t/acme/approvals/"


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.queue.send", lambda _task, _key: None)


@pytest.fixture
def on(tenant: Tenant) -> Tenant:
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    tenant.refresh_from_db()
    return tenant


@pytest.fixture
def cleo(on: Tenant, client_of: Callable[[User], Client]) -> Client:
    return client_of(person("cleo@acme.example", Role.CONFIGURATOR, on))


@pytest.fixture
def ann(on: Tenant, client_of: Callable[[User], Client]) -> Client:
    return client_of(person("ann@acme.example", Role.APPROVER, on))


def ask(client: Client, tenant: Tenant, **changes: Any) -> tuple[ChangeRequest, str]:
    page = client.post(SAFETY, form(tenant, **changes), follow=True).content.decode()
    return ChangeRequest.objects.waiting().get(), page


def limits(tenant: Tenant) -> dict[str, int]:
    tenant.refresh_from_db()
    return tenant.limits


def test_lifting_every_guard_alone_changes_nothing(on: Tenant, cleo: Client, ann: Client) -> None:
    """As one Configurator did it in one request: every limit at its top, nothing left on the never-touch list."""
    tops = {"people_percent": 100, "people_at_most": 100_000, "all_members_percent": 100, "keys_percent": 100}
    kept = list(on.never_touch)
    request, page = ask(cleo, on, **tops, shrink_percent=100, never_touch="")
    assert "needs a second person" in page
    assert limits(on) == {}
    assert on.never_touch == kept
    assert set(request.facts) == {*tops, "shrink_percent", "never_touch"}


def test_the_list_shows_who_asked_and_each_value_before_and_after(on: Tenant, cleo: Client, ann: Client) -> None:
    ask(cleo, on, people_at_most=500, never_touch="AWSAccountFactory")
    page = ann.get(APPROVALS).content.decode()
    assert "Waits for a second person" in page
    assert "Asked for by cleo@acme.example" in page
    assert '<del><bdi class="ls-name" title="10">10</bdi></del>' in page
    assert '<ins><bdi class="ls-name" title="500">500</bdi></ins>' in page
    assert "AWSControlTowerAdmins" in page
    assert "ls-nav-count" in page


def test_an_approver_puts_it_in_force(on: Tenant, cleo: Client, ann: Client) -> None:
    request, _page = ask(cleo, on, people_at_most=500)
    page = ann.post(f"{APPROVALS}requests/{request.pk}/", {"do": "approve"}, follow=True).content.decode()
    assert "Approved and carried out." in page
    assert limits(on) == {"people_at_most": 500}
    again = ann.post(f"{APPROVALS}requests/{request.pk}/", {"do": "approve"}, follow=True).content.decode()
    assert "It does not wait any more." in again


def test_an_approver_refuses_it(on: Tenant, cleo: Client, ann: Client) -> None:
    request, _page = ask(cleo, on, people_at_most=500)
    assert "Refused." in ann.post(f"{APPROVALS}requests/{request.pk}/", follow=True).content.decode()
    assert limits(on) == {}
    assert not ChangeRequest.objects.waiting().exists()


def test_own_approval_is_refused_to_an_owner_too(on: Tenant, jo: Client, ann: Client) -> None:
    request, _page = ask(jo, on, people_at_most=500)
    assert 'value="approve"' not in jo.get(APPROVALS).content.decode()
    page = jo.post(f"{APPROVALS}requests/{request.pk}/", {"do": "approve"}, follow=True).content.decode()
    assert "Somebody else approves it" in page
    assert limits(on) == {}
    assert ChangeRequest.objects.waiting().get() == request


def test_whoever_asked_withdraws_it_and_nobody_else(on: Tenant, cleo: Client, jo: Client) -> None:
    request, _page = ask(cleo, on, people_at_most=500)
    assert jo.post(f"{APPROVALS}requests/{request.pk}/withdraw/").status_code == 404
    assert "Withdrawn." in cleo.post(f"{APPROVALS}requests/{request.pk}/withdraw/", follow=True).content.decode()
    request.refresh_from_db()
    assert request.state == "withdrawn"


def test_another_tenants_request_does_not_exist(on: Tenant, jo: Client) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    request = ChangeRequest.objects.create(tenant=other, kind="settings", asked_by="cleo@acme.example")
    assert jo.post(f"{APPROVALS}requests/{request.pk}/", {"do": "approve"}).status_code == 404


def test_an_owner_alone_is_told_when_it_comes_into_force(on: Tenant, jo: Client) -> None:
    request, page = ask(jo, on, people_at_most=500)
    assert "nobody else could approve it: it is carried out at" in page
    assert request.due_at is not None
    assert Delivery.objects.get().recipient == "jo@acme.example"
    assert "Withdraw" in jo.get(APPROVALS).content.decode()


def test_the_safety_card_says_whether_a_second_person_is_needed_and_what_waits(on: Tenant, jo: Client) -> None:
    Tenant.objects.update(enabled=False, enabled_changed_at=None)
    assert "you may change all of this alone" in jo.get("/t/acme/provisioning/").content.decode()
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    on.refresh_from_db()
    assert "needs a second person" in jo.get("/t/acme/provisioning/").content.decode()
    ask(jo, on, people_at_most=500)
    assert "A change waits for a second person:" in jo.get("/t/acme/provisioning/").content.decode()


# Held removals of one's own


@pytest.fixture
def hold(on: Tenant) -> Hold:
    run = Run.objects.create(tenant=on, number=1, kind="changes", trigger="schedule", state="waiting_for_approval")
    Tenant.objects.update(last_run_number=1)
    found = Hold.objects.create(tenant=on, kind="people", run=run, facts={"limit": 3, "planned": 2})
    for n in range(2):
        HeldChange.objects.create(
            hold=found, tenant=on, action="disable", object_type="user", object_id=f"{n:036d}",
            display_name=f"Leaver {n}", cause="not-assigned", caused_by=["jo@acme.example"],
        )  # fmt: skip
    return found


def approve(client: Client, hold: Hold) -> str:
    rows = list(hold.changes.order_by("pk").values_list("pk", flat=True))
    facts = {"shown": rows, "ticked": rows, "upto": rows[-1], "do": "approve", "confirm": "acme"}
    return client.post(f"{APPROVALS}{hold.pk}/", facts, follow=True).content.decode()


def test_removals_of_ones_own_are_refused_by_name_of_who_may(hold: Hold, jo: Client, ann: Client) -> None:
    assert "2 of them come of what you changed yourself" in jo.get(f"{APPROVALS}{hold.pk}/").content.decode()
    assert "Somebody else approves them: ann@acme.example" in approve(jo, hold)
    assert set(hold.changes.values_list("decision", flat=True)) == {"waiting"}
    assert "2 approved." in approve(ann, hold)


def test_removals_of_an_owner_alone_wait_their_hour(hold: Hold, jo: Client) -> None:
    assert "carried out an hour after your approval" in jo.get(f"{APPROVALS}{hold.pk}/").content.decode()
    page = approve(jo, hold)
    assert "Carry out 2 held removals" in page
    assert set(hold.changes.values_list("decision", flat=True)) == {"waiting"}
    assert ChangeRequest.objects.waiting().get().due_at
