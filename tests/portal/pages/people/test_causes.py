"""Why somebody is not in AWS, or not as wanted: for each planted cause the page names the first blocker and the fix."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sync.configuration import mappings, settings
from sync.configuration.filters import save_filter
from sync.models import Heartbeat, Run, Standing, Tenant, Word
from sync.queue import QUICK, RUNS
from tests.world.company import aws_user, hire, leave
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, attempt, sync

# The tests share a lab: each has people of its own.
NUMBERS = itertools.count(1)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(6, groups=1, memberships=2)]


@dataclass(frozen=True)
class Company:
    tenant: Tenant
    lab: Lab

    def hire(self, name: str = "Ada", **facts: Any) -> dict[str, Any]:
        number = next(NUMBERS)
        names = {"givenName": name, "surname": f"Cause{number}"} | facts
        return hire(self.lab, f"{name} Cause{number}", **names)

    def assigned(self, **facts: Any) -> dict[str, Any]:
        person = self.hire(**facts)
        assign(self.tenant, person)
        return person

    def arrived(self, **facts: Any) -> dict[str, Any]:
        person = self.assigned(**facts)
        self.sync()
        return person

    def sync(self, kind: str = Run.Kind.CHANGES) -> Run:
        return sync(self.tenant, kind)

    def waiting(self) -> dict[str, Any]:
        """Somebody whom the next run would create."""
        person = self.assigned()
        self.sync(Run.Kind.PREVIEW)
        return person

    def set(self, **values: Any) -> None:
        Tenant.objects.filter(pk=self.tenant.pk).update(**values)
        self.tenant.refresh_from_db()

    def stranger(self, person: dict[str, Any], **facts: Any) -> dict[str, Any]:
        """A user whom somebody made in AWS by hand, with this person's user name."""
        names = {"displayName": "By Hand", "name": {"givenName": "By", "familyName": "Hand"}}
        made: dict[str, Any] = self.lab.call(
            "POST", "aws/users", {"userName": person["userPrincipalName"], **names, **facts}
        )
        return made


@pytest.fixture
def company(wired: Tenant, lab: Lab) -> Company:
    """Provisioning is on, and somebody works."""
    for role, queues in (("worker", [RUNS, QUICK]), ("beat", [])):
        Heartbeat.objects.create(name=role, role=role, queues=queues, slots=1, seen_at=timezone.now())
    found = Company(wired, lab)
    found.set(enabled=True, enabled_changed_at=timezone.now())
    return found


def not_assigned(company: Company) -> dict[str, Any]:
    person = company.hire()
    company.arrived()
    return person


def outside_by_clause(company: Company) -> dict[str, Any]:
    clause = {"attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": True}
    save_filter(actor=ACTOR, tenant=company.tenant, object_type="user", title="Engineers", clauses=[clause])
    return company.arrived(department="Sales")


def disabled(company: Company) -> dict[str, Any]:
    return company.arrived(accountEnabled=False)


def guest(company: Company) -> dict[str, Any]:
    settings.set_settings(actor=ACTOR, tenant=company.tenant, leave_out_guests=True)
    return company.arrived(userType="Guest")


def deleted(company: Company) -> dict[str, Any]:
    person = company.arrived()
    leave(company.lab, person)
    company.sync()
    return person


def missing_name(company: Company) -> dict[str, Any]:
    return company.arrived(surname=None)


def two_phones(company: Company) -> dict[str, Any]:
    mappings.reset_mappings(actor=ACTOR, tenant=company.tenant, object_type="user")
    return company.arrived(businessPhones=["+44 20 1"], mobilePhone="+44 7 1")


def duplicate(company: Company) -> dict[str, Any]:
    first = company.arrived(name="Elder", mail="same@acme.example")
    assert first
    return company.arrived(mail="same@acme.example")


def conflict(company: Company) -> dict[str, Any]:
    person = company.assigned()
    company.stranger(person)
    company.sync()
    return person


def taken(company: Company) -> dict[str, Any]:
    """By somebody whom another source has made in AWS."""
    person = company.assigned()
    company.stranger(person, externalId="another-source")
    company.sync()
    return person


def held(company: Company) -> dict[str, Any]:
    company.set(limits={"people_at_least": 0, "people_at_most": 0})
    person = company.arrived()
    leave(company.lab, person)
    company.sync()
    return person


def refused(company: Company) -> dict[str, Any]:
    fault = {"part": "aws", "kind": "status", "status": 400, "match": "POST", "body": '{"detail": "No."}'}
    company.lab.call("POST", "faults", fault)
    return company.arrived()


def quarantined(company: Company) -> dict[str, Any]:
    person = company.waiting()
    company.set(quarantined_at=timezone.now(), quarantine_code="too-many-failures")
    return person


def token_refused(company: Company) -> dict[str, Any]:
    person = company.waiting()
    fault = {"part": "aws", "kind": "status", "status": 401, "match": "", "times": -1, "body": "{}"}
    company.lab.call("POST", "faults", fault)
    assert attempt(company.tenant).problem == "token-refused"
    return person


def worker_down(company: Company) -> dict[str, Any]:
    person = company.waiting()
    Heartbeat.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    return person


def beat_down(company: Company) -> dict[str, Any]:
    person = company.waiting()
    Heartbeat.objects.filter(role="beat").update(seen_at=timezone.now() - timedelta(minutes=5))
    return person


def overdue(company: Company) -> dict[str, Any]:
    person = company.waiting()
    company.set(next_run_at=timezone.now() - timedelta(minutes=20))
    return person


def provisioning_off(company: Company) -> dict[str, Any]:
    person = company.waiting()
    company.set(enabled=False)
    return person


def gone(company: Company) -> dict[str, Any]:
    person = company.arrived()
    company.lab.call("DELETE", f"aws/users/{aws_user(company.lab, person['id'])['id']}")
    company.sync(Run.Kind.FULL)
    return person


def changed_in_aws(company: Company) -> dict[str, Any]:
    person = company.arrived()
    user = aws_user(company.lab, person["id"])
    company.lab.call("PATCH", f"aws/users/{user['id']}", {"title": "By hand"})
    company.sync(Run.Kind.FULL)
    return person


def never_touch(company: Company) -> dict[str, Any]:
    person = company.assigned()
    company.stranger(person)
    company.set(never_touch=[person["userPrincipalName"]])
    company.sync()
    return person


@dataclass(frozen=True)
class Expected:
    """`fix`: words of it; `leads_to`: the page that the fix links to, by the end of its address."""

    word: Word
    question: str
    evidence: str
    fix: str
    leads_to: str


ENTRA = "https://entra.microsoft.com/"
CAUSES: dict[Callable[[Company], dict[str, Any]], Expected] = {
    not_assigned: Expected(Word.NOT_IN_SCOPE, "assigned", "no assignment", "Assign the person", "/assignments/"),
    outside_by_clause: Expected(
        Word.NOT_IN_SCOPE,
        "scope",
        "Engineers: department is Engineering, in Entra Sales",
        "Change the filter under Scope, or the value in Entra.",
        "/scope/",
    ),
    disabled: Expected(Word.NOT_IN_SCOPE, "enabled", "the account is off", "Enable the account in Entra.", ENTRA),
    guest: Expected(Word.NOT_IN_SCOPE, "scope", "Guest left out", "Let guests in under Scope.", "/scope/"),
    deleted: Expected(Word.DISABLED, "exists", "deleted", "Restore the person in Entra", ENTRA),
    missing_name: Expected(
        Word.NOT_READY, "ready", "name.familyName", "Fill Last name in Entra, or map a default", "name.familyName/"
    ),
    two_phones: Expected(
        Word.NOT_READY, "ready", "phoneNumbers", "Remove all but one of the mappings", "/mappings/people/"
    ),
    duplicate: Expected(Word.CONFLICT, "matched", "eldercause", "Change the value of one of them in Entra", ENTRA),
    conflict: Expected(Word.CONFLICT, "matched", "userName", "link them under Approvals", "/approvals/"),
    taken: Expected(Word.CONFLICT, "matched", "AWS already has this value", "Compare the two", "/approvals/"),
    held: Expected(
        Word.HELD, "written", "Removals of people are held", "Look at the names under Approvals", "/approvals/"
    ),
    refused: Expected(Word.FAILED, "written", "next try", "Look at the request in the log entry", "/logs/"),
    quarantined: Expected(
        Word.WAITING,
        "written",
        "quarantined: Too many changes failed",
        "Look at the problems of the run.",
        "/provisioning/",
    ),
    token_refused: Expected(
        Word.WAITING, "written", "AWS refused the access token", "Create a new token in AWS", "/connection/"
    ),
    worker_down: Expected(
        Word.WAITING, "written", "No worker is running", "Start what is missing", "/settings/health/"
    ),
    beat_down: Expected(Word.WAITING, "written", "Beat is not running", "Start what is missing", "/settings/health/"),
    overdue: Expected(Word.WAITING, "written", "A sync is overdue", "See System health", "/settings/health/"),
    provisioning_off: Expected(Word.WAITING, "written", "Provisioning is off", "Turn it on", "/provisioning/"),
    gone: Expected(Word.GONE, "matched", "Gone from AWS", "Repair it under Compare with AWS", "/drift/"),
    changed_in_aws: Expected(
        Word.DIFFERS, "written", "AWS holds something else", "repair or leave them under Compare", "/drift/"
    ),
    never_touch: Expected(Word.CONFLICT, "matched", "Left alone by rule", "link them under Approvals", "/approvals/"),
}


@pytest.mark.parametrize("plant", CAUSES, ids=lambda plant: plant.__name__)
def test_the_first_blocker_and_its_fix_are_named(
    company: Company, jo: Client, plant: Callable[[Company], dict[str, Any]]
) -> None:
    person, expected = plant(company), CAUSES[plant]
    context = jo.get(f"/t/acme/people/{person['id']}/").context
    assert Standing.objects.get(object_id=person["id"]).word == expected.word
    assert context["blocker"].key == expected.question
    assert expected.evidence in context["blocker"].evidence
    assert expected.fix in context["verdict"].fix
    assert any(expected.leads_to in link.url for link in context["fix_links"]), context["fix_links"]


def test_in_aws_and_up_to_date_nothing_blocks(company: Company, jo: Client) -> None:
    context = jo.get(f"/t/acme/people/{company.arrived()['id']}/").context
    assert (context["blocker"], context["verdict"].fix, context["fix_links"]) == (None, "", [])
