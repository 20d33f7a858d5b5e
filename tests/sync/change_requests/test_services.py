"""A second person approves exactly what was asked for, once, and never what is their own."""

import datetime
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from sync.approvals import services as approvals
from sync.change_requests import services
from sync.change_requests.services import Stale
from sync.configuration.second_person import NotWaiting, OwnRequest
from sync.models import AuditEntry, ChangeRequest, HeldChange, Hold, Run, Tenant
from sync.preview.services import publish_draft
from sync.tenants.services import save_safety
from tests.world.drafted import JO, RAVI, edit_title
from tests.world.second_person import Approvers, has_been_on
from tests.world.tenant import ACTOR

ANN, BEN = "ann@acme.example", "ben@acme.example"
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Runs that went to the broker."""
    ids: list[int] = []
    monkeypatch.setattr("sync.queue.send", lambda _task, key: ids.append(key))
    return ids


@pytest.fixture
def on(tenant: Tenant, known: Approvers) -> Tenant:
    known.emails = [ACTOR, ANN, BEN]
    return has_been_on(tenant)


def raised(tenant: Tenant, percent: int = 50) -> ChangeRequest:
    request = save_safety(tenant=tenant, actor=ACTOR, limits={"people_percent": percent}).request
    assert request is not None
    return request


def held(tenant: Tenant, *causers: str, kind: str = "people", number: int = 1) -> Hold:
    """Two removals: the first is of what `causers` changed, the second Entra's."""
    run = Run.objects.create(tenant=tenant, number=number, kind="changes", trigger="schedule", state="completed")
    tenant.last_run_number = number
    tenant.save()
    hold = Hold.objects.create(tenant=tenant, kind=kind, run=run)
    for n, caused_by in enumerate((list(causers), [])):
        object_id = f"{number}{n:035d}"
        HeldChange.objects.create(
            hold=hold, tenant=tenant, action="disable", object_type="user", object_id=object_id, caused_by=caused_by
        )
    return hold


def keys(hold: Hold) -> list[int]:
    return list(hold.changes.order_by("pk").values_list("pk", flat=True))


def decisions(hold: Hold) -> list[str]:
    return list(hold.changes.order_by("pk").values_list("decision", flat=True))


def decide(hold: Hold, actor: str, approve: list[int], **more: Any) -> Any:
    return approvals.decide_hold(hold=hold, actor=actor, approve=approve, enqueue=False, **more)


# Settings


@pytest.mark.django_db
def test_another_person_puts_the_settings_in_force(on: Tenant) -> None:
    request = raised(on)
    services.approve(request=request, actor=ANN)
    on.refresh_from_db()
    request.refresh_from_db()
    assert on.limits == {"people_percent": 50}
    assert (request.state, request.decided_by) == ("approved", ANN)
    verbs = dict(AuditEntry.objects.filter(tenant=on).values_list("verb", "actor"))
    assert (verbs["second_person.approve"], verbs["safety.save"]) == (ANN, ACTOR)


@pytest.mark.django_db
@pytest.mark.parametrize("who", [ACTOR, "command line"])
def test_nobody_approves_what_they_asked_for_and_the_command_line_nothing(on: Tenant, who: str) -> None:
    request = raised(on)
    with pytest.raises(OwnRequest):
        services.approve(request=request, actor=who)
    on.refresh_from_db()
    request.refresh_from_db()
    assert (on.limits, request.state) == ({}, "waiting")


@pytest.mark.django_db
def test_an_approval_of_values_that_are_no_longer_in_force_changes_nothing(on: Tenant) -> None:
    request = raised(on)
    save_safety(tenant=on, actor=BEN, limits={"people_percent": 2})
    with pytest.raises(Stale):
        services.approve(request=request, actor=ANN)
    on.refresh_from_db()
    request.refresh_from_db()
    assert (on.limits, request.state) == ({"people_percent": 2}, "stale")


@pytest.mark.django_db
@pytest.mark.parametrize("end", [services.refuse, services.withdraw])
def test_what_was_refused_or_withdrawn_is_not_approved_any_more(on: Tenant, end: Any) -> None:
    request = raised(on)
    end(request=request, actor=ACTOR)
    with pytest.raises(NotWaiting):
        services.approve(request=request, actor=ANN)
    on.refresh_from_db()
    assert on.limits == {}


@pytest.mark.django_db
def test_what_nobody_could_approve_comes_into_force_after_its_delay_and_not_before(
    on: Tenant, known: Approvers
) -> None:
    known.emails = [ACTOR]
    request = raised(on)
    services.carry_out_due()
    on.refresh_from_db()
    assert on.limits == {}
    ChangeRequest.objects.update(due_at=timezone.now())
    services.carry_out_due()
    services.carry_out_due()
    on.refresh_from_db()
    request.refresh_from_db()
    assert (on.limits, request.state) == ({"people_percent": 50}, "due")
    assert AuditEntry.objects.filter(verb="second_person.delay_over", actor=ACTOR).count() == 1


@pytest.mark.django_db
def test_the_clock_carries_nothing_out_for_whoever_lost_the_role(on: Tenant, known: Approvers) -> None:
    known.emails = [ACTOR]
    request = raised(on)
    known.gone = [ACTOR]
    ChangeRequest.objects.update(due_at=timezone.now())
    services.carry_out_due()
    on.refresh_from_db()
    request.refresh_from_db()
    assert (on.limits, request.state) == ({}, "withdrawn")


@pytest.mark.django_db
def test_what_waits_for_a_person_never_comes_into_force_by_itself(on: Tenant) -> None:
    raised(on)
    ChangeRequest.objects.update(asked_at=timezone.now() - 1000 * HOUR)
    services.carry_out_due()
    on.refresh_from_db()
    assert on.limits == {}


# Held removals


@pytest.mark.django_db
def test_a_removal_is_not_released_by_whoever_changed_what_causes_it(on: Tenant) -> None:
    hold = held(on, ACTOR)
    with pytest.raises(approvals.OwnChange) as refused:
        decide(hold, ACTOR, keys(hold))
    assert refused.value.others == [ANN, BEN]
    assert decisions(hold) == ["waiting", "waiting"]
    assert isinstance(decide(hold, ANN, keys(hold)), Run)
    assert decisions(hold) == ["approved", "approved"]


@pytest.mark.django_db
def test_what_entra_asks_for_and_what_is_kept_needs_no_second_person(on: Tenant) -> None:
    hold = held(on, ACTOR)
    own, of_entra = keys(hold)
    assert isinstance(decide(hold, ACTOR, [of_entra], keep=[own]), Run)
    assert decisions(hold) == ["kept", "approved"]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["creates", "keys"])
def test_what_takes_no_access_away_needs_no_second_person(on: Tenant, kind: str) -> None:
    hold = held(on, ACTOR, kind=kind)
    assert isinstance(decide(hold, ACTOR, keys(hold)), Run)


@pytest.mark.django_db
def test_with_nobody_else_a_release_waits_an_hour_and_is_then_carried_out(on: Tenant, known: Approvers) -> None:
    known.emails = [ACTOR]
    hold = held(on, ACTOR)
    request = decide(hold, ACTOR, keys(hold), comment="they left")
    assert isinstance(request, ChangeRequest)
    assert decisions(hold) == ["waiting", "waiting"]
    ChangeRequest.objects.update(due_at=timezone.now())
    services.carry_out_due()
    assert decisions(hold) == ["approved", "approved"]
    assert set(hold.changes.values_list("decided_by", "comment")) == {(ACTOR, "they left")}


@pytest.mark.django_db
def test_two_who_made_it_together_count_as_nobody_else(on: Tenant, known: Approvers) -> None:
    known.emails = [ACTOR, ANN]
    hold = held(on, ACTOR, ANN)
    assert isinstance(decide(hold, ANN, keys(hold)), ChangeRequest)


@pytest.mark.django_db
def test_a_release_is_not_approved_by_another_who_made_it_too(on: Tenant, known: Approvers) -> None:
    known.emails = []
    hold = held(on, ACTOR, ANN)
    request = decide(hold, ACTOR, keys(hold))
    for own in (ACTOR, ANN):
        with pytest.raises(OwnRequest):
            services.approve(request=request, actor=own)
    services.approve(request=request, actor=BEN)
    assert decisions(hold) == ["approved", "approved"]


@pytest.mark.django_db
def test_a_release_is_about_the_rows_that_were_listed_and_no_others(on: Tenant, known: Approvers) -> None:
    known.emails = []
    hold, other = held(on, ACTOR), held(on, ACTOR, kind="members", number=2)
    request = decide(hold, ACTOR, [*keys(hold)[:1], *keys(other)])
    services.approve(request=request, actor=BEN)
    assert (decisions(hold), decisions(other)) == (["approved", "waiting"], ["waiting", "waiting"])


@pytest.mark.django_db
def test_a_release_of_what_is_gone_meanwhile_is_stale(on: Tenant, known: Approvers, sent: list[int]) -> None:
    known.emails = []
    hold = held(on, ACTOR)
    request = decide(hold, ACTOR, keys(hold))
    HeldChange.objects.update(closed_at=timezone.now())
    with pytest.raises(Stale):
        services.approve(request=request, actor=BEN)
    assert not sent


@pytest.mark.django_db
def test_approving_twice_does_not_lengthen_the_approval_nor_start_another_run(on: Tenant) -> None:
    hold = held(on, ACTOR)
    decide(hold, ANN, keys(hold))
    before = list(hold.changes.values_list("decided_by", "expires_at"))
    with pytest.raises(approvals.NothingHeld):
        decide(hold, BEN, keys(hold))
    assert list(hold.changes.values_list("decided_by", "expires_at")) == before
    assert Run.objects.filter(trigger="approval").count() == 1


def at_once(deed: Any) -> list[str]:
    """What came of it, for each of two who do it at the same moment."""
    found: list[str] = []
    start = threading.Barrier(2)

    def run() -> None:
        start.wait(timeout=20)
        try:
            deed()
            found.append("done")
        except (approvals.NothingHeld, NotWaiting) as error:
            found.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    return sorted(found)


@pytest.mark.django_db(transaction=True)
@pytest.mark.both
def test_of_two_approvals_at_once_one_counts(on: Tenant) -> None:
    hold = held(on, ACTOR)
    ids = keys(hold)
    assert at_once(lambda: decide(hold, ANN, ids)) == ["NothingHeld", "done"]
    assert AuditEntry.objects.filter(verb="hold.decide").count() == 1
    assert Run.objects.filter(trigger="approval").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.both
def test_of_two_approvals_of_a_request_at_once_one_counts(on: Tenant) -> None:
    request = raised(on)
    assert at_once(lambda: services.approve(request=request, actor=ANN)) == ["NotWaiting", "done"]
    assert AuditEntry.objects.filter(verb="safety.save").count() == 1


# Publishing


@pytest.fixture
def preview(drafted: Run, known: Approvers) -> Run:
    """Of a draft that Jo and Ravi edited, where publishing needs two people."""
    known.emails = [JO, RAVI, ANN]
    Tenant.objects.update(two_people=True)
    drafted.refresh_from_db()
    drafted.tenant.refresh_from_db()
    return drafted


def publish(preview: Run, actor: str) -> Any:
    seen = [check["code"] for check in preview.impact["checks"]]
    return publish_draft(tenant=preview.tenant, actor=actor, preview=preview, comment="Engineers only", seen=seen)


@pytest.mark.django_db
def test_whoever_edited_a_draft_asks_and_somebody_else_publishes_it(preview: Run) -> None:
    request = publish(preview, RAVI)
    assert isinstance(request, ChangeRequest)
    for own in (RAVI, JO):
        with pytest.raises(OwnRequest):
            services.approve(request=request, actor=own)
    assert preview.tenant.configurations.draft() is not None
    services.approve(request=request, actor=ANN)
    version = preview.tenant.configurations.current()
    assert (version.number, version.published_by, version.comment) == (3, RAVI, "Engineers only")


@pytest.mark.django_db
def test_whoever_did_not_edit_it_publishes_at_once(preview: Run) -> None:
    assert publish(preview, ANN).number == 3


@pytest.mark.django_db
def test_one_publishes_alone_where_the_tenant_does_not_ask_for_two(preview: Run) -> None:
    Tenant.objects.update(two_people=False)
    preview.tenant.refresh_from_db()
    assert publish(preview, RAVI).number == 3


@pytest.mark.django_db
def test_a_draft_that_was_edited_after_it_was_asked_for_is_not_published(preview: Run) -> None:
    request = publish(preview, RAVI)
    edit_title(preview.tenant, "jobTitle")
    with pytest.raises(Stale):
        services.approve(request=request, actor=ANN)
    assert preview.tenant.configurations.current().number == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "published"), [(23, True), (25, False)])
def test_an_approval_may_come_within_a_day_of_the_preview(preview: Run, hours: int, published: bool) -> None:
    request = publish(preview, RAVI)
    Run.objects.filter(pk=preview.pk).update(finished_at=timezone.now() - hours * HOUR)
    if published:
        services.approve(request=request, actor=ANN)
    else:
        with pytest.raises(Stale):
            services.approve(request=request, actor=ANN)
    assert preview.tenant.configurations.current().number == (3 if published else 2)
