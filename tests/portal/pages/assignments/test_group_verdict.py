"""Whether a group is in AWS with all its members, in a sentence: who is missing, why, and what mends it."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sync.configuration import assignments
from sync.configuration.current import configuration_of
from sync.models import Heartbeat, Run, Tenant
from sync.queue import QUICK, RUNS
from tests.world.company import aws_group, aws_user, group_of, hire
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

NUMBERS = itertools.count(1)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(6, groups=1, memberships=2)]


@dataclass(frozen=True)
class Company:
    tenant: Tenant
    lab: Lab
    people: list[dict[str, Any]]
    group: dict[str, Any]

    @property
    def in_aws(self) -> dict[str, Any]:
        return aws_group(self.lab, self.group["displayName"])

    def sync(self, kind: str = Run.Kind.CHANGES) -> None:
        sync(self.tenant, kind)

    def assign(self) -> None:
        assign(self.tenant, self.group)

    def arrive(self) -> None:
        self.assign()
        self.sync()


@pytest.fixture
def company(wired: Tenant, lab: Lab) -> Company:
    """Ada, and Kavi without a last name, in a group; provisioning is on, and somebody works."""
    for role, queues in (("worker", [RUNS, QUICK]), ("beat", [])):
        Heartbeat.objects.create(name=role, role=role, queues=queues, slots=1, seen_at=timezone.now())
    Tenant.objects.update(enabled=True)
    wired.refresh_from_db()
    number = next(NUMBERS)
    people = [hire(lab, f"{name} Verdict{number}") for name in ("Ada", "Kavi")]
    return Company(wired, lab, people, group_of(lab, f"AWS-Verdict {number}", people))


def complete(company: Company) -> None:
    company.arrive()


def not_assigned(company: Company) -> None:
    company.sync()


def people_only(company: Company) -> None:
    company.assign()
    row = configuration_of(company.tenant).assignments.get(object_id=company.group["id"])
    assignments.set_send_group(actor=ACTOR, tenant=company.tenant, assignment=row, send_group=False)
    company.sync()


def one_not_ready(company: Company) -> None:
    company.lab.call("PATCH", f"entra/users/{company.people[1]['id']}", {"surname": None})
    company.arrive()


def not_yet(company: Company) -> None:
    company.assign()
    company.sync(Run.Kind.PREVIEW)


def nobody_works(company: Company) -> None:
    not_yet(company)
    Heartbeat.objects.all().update(stopped=True)


def deleted_by_hand(company: Company) -> None:
    company.arrive()
    company.lab.call("DELETE", f"aws/groups/{company.in_aws['id']}")
    company.sync(Run.Kind.FULL)


def member_taken_out_by_hand(company: Company) -> None:
    company.arrive()
    members(company, remove=[aws_user(company.lab, company.people[1]["id"])["id"]])
    company.sync(Run.Kind.FULL)


def member_added_by_hand(company: Company) -> None:
    company.arrive()
    names = {"userName": "hand@acme.example", "displayName": "Hand", "name": {"givenName": "H", "familyName": "H"}}
    members(company, add=[company.lab.call("POST", "aws/users", names)["id"]])
    company.sync(Run.Kind.FULL)


def members(company: Company, **changes: list[str]) -> None:
    company.lab.call("POST", f"aws/groups/{company.in_aws['id']}/members", changes)


EXPECTED: dict[Callable[[Company], None], tuple[str, str]] = {
    complete: ("In AWS with all 2 members.", ""),
    not_assigned: ("Not in AWS. Not assigned.", "Assign the group under Assignments"),
    people_only: ("Not in AWS. Assigned only to bring its people", "let the group itself be sent too"),
    one_not_ready: ("In AWS, without 1 of its 2 members. Last name is missing: Kavi", "Fill Last name in Entra"),
    not_yet: ("Not in AWS. The next run creates the group.", ""),
    nobody_works: ("The next run creates the group. No worker is running", "Start what is missing"),
    deleted_by_hand: ("Not in AWS. The linked object is gone", "Repair it under Compare with AWS"),
    member_taken_out_by_hand: ("In AWS, without 1 of its 2 members. Kavi", "Repair it under Compare with AWS"),
    member_added_by_hand: ("In AWS with all 2 members. A group in AWS has other members", "repair or leave them there"),
}


@pytest.mark.parametrize("happens", EXPECTED, ids=lambda happens: happens.__name__)
def test_the_sentence_says_who_is_missing_and_what_mends_it(
    company: Company, jo: Client, happens: Callable[[Company], None]
) -> None:
    happens(company)
    sentence, fix = EXPECTED[happens]
    verdict = jo.get(f"/t/acme/groups/{company.group['id']}/").context["verdict"]
    assert sentence in verdict.sentence
    assert fix in verdict.fix
    assert bool(fix) == bool(verdict.fix)


def test_the_figures_compare_both_sides(company: Company, jo: Client) -> None:
    member_added_by_hand(company)
    figures = jo.get(f"/t/acme/groups/{company.group['id']}/").context["members"]
    assert (figures.wanted, figures.in_aws, figures.missing, figures.extra) == (2, 3, 0, 1)
