"""What lifts a guard waits for another person, or, where there is none, for an hour and a mail to every Owner."""

from dataclasses import asdict, fields
from typing import Any

import pytest
from django.utils import translation

from portal.access import approvers
from sync.configuration import second_person
from sync.models import AuditEntry, ChangeRequest, Delivery, Tenant
from sync.rules.limits import Limits
from sync.tenants.queries import RANGES, safety_of
from sync.tenants.services import save_safety
from tests.world.second_person import Approvers, has_been_on
from tests.world.tenant import ACTOR

# SQLite takes no locks of rows.
pytestmark = [pytest.mark.django_db, pytest.mark.both]
ANN = "ann@acme.example"
RAISED: dict[str, Any] = {"limits": {"people_percent": 50}}


@pytest.fixture
def on(tenant: Tenant, known: Approvers) -> Tenant:
    known.emails = [ACTOR, ANN]
    return has_been_on(tenant)


def test_every_limit_is_in_the_table() -> None:
    assert {one.name for one in fields(Limits)} == RANGES.keys()
    assert RANGES.keys() <= second_person.WEAKENS.keys()


@pytest.mark.parametrize("name", RANGES)
def test_raising_a_limit_waits_and_lowering_it_does_not(on: Tenant, name: str) -> None:
    usual = asdict(Limits())[name]
    saved = save_safety(tenant=on, actor=ACTOR, limits={name: usual + 1})
    on.refresh_from_db()
    assert (saved.changed, on.limits) == (False, {})
    assert saved.request is not None
    assert saved.request.facts == {name: {"before": usual, "after": usual + 1}}
    save_safety(tenant=on, actor=ACTOR, limits={name: usual - 1})
    on.refresh_from_db()
    assert on.limits == {name: usual - 1}


@pytest.mark.parametrize(
    ("values", "waits"),
    [
        ({"never_touch": []}, True),
        ({"never_touch": ["AWSAccountFactory"]}, True),
        ({"adoption": "match"}, True),
        ({"adoption": "by_hand"}, True),
        ({"two_people": True}, False),
        ({"repair": True, "delete_after_days": 5}, False),
    ],
)
def test_what_waits_and_what_does_not(on: Tenant, values: dict[str, Any], waits: bool) -> None:
    before = safety_of(on)
    saved = save_safety(tenant=on, actor=ACTOR, **values)
    on.refresh_from_db()
    assert (saved.request is not None, saved.changed) == (waits, not waits)
    assert safety_of(on) == (before if waits else before | values)


def test_a_longer_list_of_what_is_never_touched_does_not_wait(on: Tenant) -> None:
    longer = [*on.never_touch, "Audit-*"]
    assert save_safety(tenant=on, actor=ACTOR, never_touch=longer).request is None
    on.refresh_from_db()
    assert on.never_touch == longer


def test_that_publishing_needs_two_people_is_not_turned_off_by_one(on: Tenant) -> None:
    save_safety(tenant=on, actor=ACTOR, two_people=True)
    assert save_safety(tenant=on, actor=ACTOR, two_people=False).request
    on.refresh_from_db()
    assert on.two_people


def test_the_rest_of_one_save_is_in_force_at_once(on: Tenant) -> None:
    saved = save_safety(tenant=on, actor=ACTOR, limits={"people_percent": 50, "keys_percent": 1}, repair=True)
    on.refresh_from_db()
    assert (saved.changed, on.limits, on.repair) == (True, {"keys_percent": 1}, True)


def test_nothing_waits_before_provisioning_was_ever_on(tenant: Tenant, known: Approvers) -> None:
    known.emails = [ACTOR, ANN]
    assert save_safety(tenant=tenant, actor=ACTOR, **RAISED).request is None
    tenant.refresh_from_db()
    assert tenant.limits == {"people_percent": 50}


def test_turning_provisioning_off_opens_no_way_around(on: Tenant) -> None:
    Tenant.objects.update(enabled=False)
    on.refresh_from_db()
    assert save_safety(tenant=on, actor=ACTOR, **RAISED).request


def test_with_somebody_to_ask_it_waits_without_an_end_and_who_can_approve_gets_a_mail(
    on: Tenant, known: Approvers
) -> None:
    known.owners = [ACTOR, "eve@acme.example"]
    request = save_safety(tenant=on, actor=ACTOR, **RAISED).request
    assert request is not None
    assert (request.due_at, request.asked_by, request.state) == (None, ACTOR, "waiting")
    [mail] = Delivery.objects.all()
    assert (mail.recipient, mail.subject) == (ANN, "[Acme] Waits for your approval: Safety settings")
    assert ACTOR in mail.body
    assert mail.body.endswith("/t/acme/approvals/")
    assert AuditEntry.objects.filter(verb="second_person.ask", actor=ACTOR).count() == 1


def test_each_recipient_reads_their_own_language_whatever_the_one_who_asks_reads(
    on: Tenant, known: Approvers, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.emails = [ACTOR, ANN, "eve@acme.example"]
    monkeypatch.setattr(approvers, "language_of", {ANN: "de"}.get)
    with translation.override("de"):
        save_safety(tenant=on, actor=ACTOR, **RAISED)
    subjects = dict(Delivery.objects.values_list("recipient", "subject"))
    assert subjects == {
        ANN: "[Acme] Wartet auf Ihre Genehmigung: Sicherheitseinstellungen",
        "eve@acme.example": "[Acme] Waits for your approval: Safety settings",
    }


def test_whoever_has_had_the_mail_gets_none_for_what_takes_its_place(on: Tenant) -> None:
    for percent in (50, 60, 70):
        save_safety(tenant=on, actor=ACTOR, limits={"people_percent": percent})
    assert [mail.recipient for mail in Delivery.objects.all()] == [ANN]
    save_safety(tenant=on, actor=ANN, limits={"people_percent": 80})
    assert [mail.recipient for mail in Delivery.objects.order_by("pk")] == [ANN, ACTOR]


def test_with_nobody_to_ask_it_is_due_in_an_hour_and_every_owner_gets_a_mail(on: Tenant, known: Approvers) -> None:
    known.emails, known.owners = [ACTOR], [ACTOR, "eve@acme.example"]
    request = save_safety(tenant=on, actor=ACTOR, **RAISED).request
    assert request is not None
    assert request.due_at is not None
    assert abs(request.due_at - request.asked_at - second_person.DELAY).total_seconds() < 1
    mails = Delivery.objects.order_by("pk")
    assert [mail.recipient for mail in mails] == [ACTOR, "eve@acme.example"]
    assert ACTOR in mails[0].body
    assert "/t/acme/approvals/" in mails[0].body


def test_the_same_again_is_the_request_that_waits_already(on: Tenant) -> None:
    first = save_safety(tenant=on, actor=ACTOR, **RAISED).request
    assert save_safety(tenant=on, actor=ACTOR, **RAISED).request == first
    assert AuditEntry.objects.filter(verb="second_person.ask").count() == 1


def test_a_newer_request_takes_the_place_of_the_one_that_waits(on: Tenant) -> None:
    first = save_safety(tenant=on, actor=ACTOR, **RAISED).request
    second = save_safety(tenant=on, actor=ANN, limits={"people_percent": 60}).request
    assert first is not None
    first.refresh_from_db()
    assert first.state == "replaced"
    assert list(ChangeRequest.objects.waiting()) == [second]


def test_the_command_line_is_no_second_person() -> None:
    assert second_person.may_decide("command line", set())
    assert not second_person.may_decide("command line", {ACTOR})
    assert not second_person.may_decide("command line", {"command line"})
    assert second_person.may_decide(ANN, {"command line"})
