"""What the log says of runs, tests, publishing, approvals and pruning: a line at the beginning and the end, with the page's numbers."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from sync.approvals.services import carry_out_decision, confirm_plan
from sync.configuration import versions
from sync.connection import services
from sync.models import Delivery, HeldChange, Hold, Run, Tenant
from sync.retention.services import prune
from tests.world.lab import Lab
from tests.world.runs import new_run
from tests.world.tenant import ACTOR, assign, attempt, sync

pytestmark = [pytest.mark.django_db, pytest.mark.company(3, groups=1, memberships=2)]
Line = dict[str, Any]


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


def lines_of(caplog: pytest.LogCaptureFixture, *events: str) -> list[Line]:
    found = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in found if line["event"] in events]


@pytest.fixture
def assigned(wired: Tenant, lab: Lab) -> Tenant:
    assign(wired, *lab.call("GET", "entra/state")["groups"])
    return wired


def test_a_run_has_a_line_at_its_beginning_and_one_at_its_end(
    assigned: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    run = sync(assigned)
    begins, ended = lines_of(caplog, "run begins", "run ended")
    for line in (begins, ended):
        assert (line["tenant"], line["run"], line["level"]) == ("acme", str(run.number), "info")
    assert (begins["kind"], begins["attempt"]) == ("changes", 1)
    assert (ended["state"], ended["counts"]) == ("completed", run.counts)
    assert ended["counts"]["created"] == 3
    assert ended["scim"]["POST"] >= 3
    assert ended["seconds"] > 0


def test_a_run_that_somebody_has_to_look_at_is_a_warning_that_says_why(
    assigned: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    Tenant.objects.update(restored_at=timezone.now())
    run = attempt(assigned)
    (ended,) = lines_of(caplog, "run ended")
    assert run.state == Run.State.FAILED
    assert (ended["level"], ended["problem"]) == ("warning", "restored")


def test_a_fault_of_ours_is_an_error_under_the_run_s_number(
    assigned: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("sync.worker.execution.run_cycle", broken)
    run = attempt(assigned)
    fault, ended = lines_of(caplog, "run stopped on an error of its own", "run ended")
    assert fault["level"] == ended["level"] == "error"
    assert fault["tenant"] == ended["tenant"] == "acme"
    assert fault["run"] == ended["run"] == str(run.number)


def test_a_test_of_the_connection_says_what_failed(
    wired: Tenant, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    test = services.new_test(tenant=wired, half="aws", actor=ACTOR)
    with django_capture_on_commit_callbacks(execute=True):
        services.run_test(test.pk)
    begins, ended = lines_of(caplog, "test begins", "test ended")
    assert (begins["tenant"], begins["half"]) == (ended["tenant"], ended["half"]) == ("acme", "aws")
    assert (ended["failed"], ended["level"]) == ([], "info")


def test_publishing_is_a_line(
    wired: Tenant, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    draft = wired.configurations.first()
    assert draft
    with django_capture_on_commit_callbacks(execute=True):
        versions.make_version(draft, actor=ACTOR)
    (line,) = lines_of(caplog, "version published")
    assert (line["tenant"], line["version"], line["by"]) == ("acme", 1, ACTOR)


def test_what_somebody_lets_go_and_keeps_is_a_line(
    tenant: Tenant, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hold = Hold.objects.create(tenant=tenant, kind="people", run=new_run(tenant, 9))
    facts = {"hold": hold, "tenant": tenant, "action": "disable", "object_type": "user"}
    goes, *stay = (HeldChange.objects.create(object_id=letter * 36, **facts) for letter in "abc")
    with django_capture_on_commit_callbacks(execute=True):
        carry_out_decision(hold=hold, actor=ACTOR, approve=[goes.pk], keep=[one.pk for one in stay], enqueue=False)
    (line,) = lines_of(caplog, "hold decided")
    assert (line["tenant"], line["hold"], line["by"]) == ("acme", "people", ACTOR)
    assert (line["approved"], line["kept"]) == (1, 2)


def test_a_plan_that_somebody_confirms_is_a_line_with_the_number_of_its_run(
    assigned: Tenant, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run = attempt(assigned, confirmed=False)
    with django_capture_on_commit_callbacks(execute=True):
        confirm_plan(run=run, actor=ACTOR)
    (line,) = lines_of(caplog, "plan confirmed")
    assert (line["tenant"], line["run"], line["by"]) == ("acme", str(run.number), ACTOR)
    assert line["changes"] == run.planned > 0


def test_what_went_at_night_is_a_line(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    Delivery.objects.create(tenant=tenant, recipient=ACTOR, subject="s", body="b", state=Delivery.State.SENT)
    Delivery.objects.update(created_at=timezone.now() - datetime.timedelta(days=91))
    prune()
    (line,) = lines_of(caplog, "pruned")
    assert (line["kind"], line["rows"], line["level"]) == ("deliveries", 1, "info")
