"""Each rule, by what really causes it: one mail and one webhook when it begins, one of each when it is over."""

import datetime
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from sync.approvals.services import decide_hold
from sync.drift.services import repair_differences
from sync.health.services import report
from sync.models import EntraConnection, Heartbeat, HeldChange, Hold, Incident, Run, Tenant
from sync.notifications.endings import note_endings
from sync.notifications.kinds import NAMES
from sync.notifications.lateness import note_lateness
from tests.world.company import aws_user, change, fault, group_of, hire, leave, people
from tests.world.lab import Lab
from tests.world.mails import Mails
from tests.world.receivers import Carry, Receiver, channel
from tests.world.tenant import ACTOR, assign, attempt, sync

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = datetime.timedelta(minutes=1)
# What happens, and after the yield what ends it.
Story = Iterator[None]


def in_step(tenant: Tenant, lab: Lab, count: int = 1) -> list[dict[str, str]]:
    some = people(lab, count)
    assign(tenant, group_of(lab, "Told", some))
    sync(tenant)
    return some


def aws_refuses_the_token(tenant: Tenant, lab: Lab) -> Story:
    assign(tenant, *people(lab, 1))
    lab.call("POST", "faults", {"part": "aws", "kind": "status", "status": 401, "times": -1})
    attempt(tenant)
    yield
    lab.call("DELETE", "faults")
    sync(tenant)


def entra_is_away(tenant: Tenant, lab: Lab) -> Story:
    assign(tenant, *people(lab, 1))
    fault(lab, "status", "delta", status=503)
    attempt(tenant)
    yield
    lab.call("DELETE", "faults")
    sync(tenant)


def many_leave(tenant: Tenant, lab: Lab) -> Story:
    some = in_step(tenant, lab, 12)
    leave(lab, *some[:4])
    sync(tenant)
    yield
    ids = list(HeldChange.objects.values_list("pk", flat=True))
    decide_hold(hold=Hold.objects.get(), actor=ACTOR, approve=ids, enqueue=False)
    Run.objects.filter(state="queued").delete()
    sync(tenant)


def entra_answers_with_nobody(tenant: Tenant, lab: Lab) -> Story:
    in_step(tenant, lab)
    empty = '{"value": [], "@odata.deltaLink": "%s/v1.0/users/delta?$deltatoken=x"}' % lab.facts["graph"]
    fault(lab, "status", "users/delta", status=200, body=empty)
    attempt(tenant, Run.Kind.FULL)
    yield
    lab.call("DELETE", "faults")
    sync(tenant, Run.Kind.FULL)


def at_work(tenant: Tenant, **facts: object) -> None:
    """On for long, with a worker and beat."""
    report(role=Heartbeat.Role.WORKER, name="runs@a", queues=["quick", "runs"], slots=2)
    report(role=Heartbeat.Role.BEAT, name="beat@a")
    long_ago = timezone.now() - datetime.timedelta(days=9)
    usual = {"enabled": True, "enabled_changed_at": long_ago, "next_run_at": timezone.now() + 15 * MINUTE}
    Tenant.objects.filter(pk=tenant.pk).update(**usual | facts)


def noticed() -> None:
    """Told once it lasts."""
    note_lateness()
    Incident.objects.update(opened_at=timezone.now() - 5 * MINUTE)
    note_lateness()


def no_sync_finishes(tenant: Tenant, lab: Lab) -> Story:
    in_step(tenant, lab)
    at_work(tenant)
    Run.objects.update(finished_at=timezone.now() - 120 * MINUTE)
    noticed()
    yield
    sync(tenant)
    note_lateness()


def a_sync_does_not_begin(tenant: Tenant, lab: Lab) -> Story:
    in_step(tenant, lab)
    at_work(tenant, next_run_at=timezone.now() - 6 * MINUTE)
    noticed()
    yield
    at_work(tenant)
    note_lateness()


def a_secret_ends(tenant: Tenant, lab: Lab) -> Story:
    today = timezone.now().date()
    for days in (7, 1000):
        EntraConnection.objects.update(credential_ends_on=today + datetime.timedelta(days=days))
        note_endings(today)
        yield


def somebody_has_no_last_name(tenant: Tenant, lab: Lab) -> Story:
    person = hire(lab, "Nolast", surname=None)
    assign(tenant, person)
    sync(tenant)
    yield
    change(lab, person, surname="Found")
    sync(tenant)


def somebody_is_deleted_in_aws(tenant: Tenant, lab: Lab) -> Story:
    [person] = in_step(tenant, lab)
    lab.call("DELETE", f"aws/users/{aws_user(lab, person['id'])['id']}")
    sync(tenant, Run.Kind.VERIFY)
    yield
    repair_differences(tenant=tenant, actor=ACTOR)
    sync(tenant)


def somebody_is_edited_in_aws(tenant: Tenant, lab: Lab) -> Story:
    [person] = in_step(tenant, lab)
    lab.call("PATCH", f"aws/users/{aws_user(lab, person['id'])['id']}", {"displayName": "By Hand"})
    sync(tenant, Run.Kind.VERIFY)
    yield
    repair_differences(tenant=tenant, actor=ACTOR)
    sync(tenant)


STORIES: dict[str, Callable[[Tenant, Lab], Story]] = {
    "quarantine": aws_refuses_the_token,
    "failed-run": entra_is_away,
    "held": many_leave,
    "unusual-numbers": entra_answers_with_nobody,
    "missed-runs": no_sync_finishes,
    "lateness": a_sync_does_not_begin,
    "credential-ends": a_secret_ends,
    "not-ready": somebody_has_no_last_name,
    "gone-from-aws": somebody_is_deleted_in_aws,
    "new-problem": somebody_is_edited_in_aws,
}


def test_every_rule_has_a_story() -> None:
    assert STORIES.keys() == {*NAMES}


@pytest.mark.parametrize("kind", STORIES)
def test_a_rule_tells_once_that_it_began_and_once_that_it_is_over(
    wired: Tenant, lab: Lab, receiver: Receiver, mails: Mails, carry: Carry, kind: str
) -> None:
    channel(wired, "email", "ops@acme.example", kinds=[kind])
    channel(wired, "webhook", receiver.url, kinds=[kind])
    story = STORIES[kind](wired, lab)
    for told in (["incident.opened"], ["incident.opened", "incident.solved"]):
        next(story, None)
        carry()
        carry()
        assert [one["type"] for one in receiver.messages] == told
        assert {one["data"]["incident"]["kind"] for one in receiver.messages} == {kind}
        assert len(mails.found) == len(told)
    assert "Solved: " in mails.subjects[1]
    assert "Solved: " not in mails.subjects[0]
    assert len({mail["References"] for mail in mails.found}) == 1
