"""However often a run is asked for, and whoever wakes up late: one run at a time, one writer (table E: E1, E2, E4, E5, E7)."""

import datetime
import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from sync.configuration import mappings
from sync.models import Drift, Operation, Result, Run, Tenant
from sync.runs import checkpoints
from sync.runs.requests import request_run
from sync.tenants import services
from sync.worker import execution
from sync.worker.scheduling import abandoned_runs, dispatch
from tests.world.company import group_of, hire
from tests.world.lab import Lab
from tests.world.programs import until
from tests.world.tenant import ACTOR, assign, connect

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.process,
    pytest.mark.company(5, groups=1, memberships=2),
    pytest.mark.both,
]

Json = dict[str, Any]


@pytest.fixture
def asked(db: None, lab: Lab) -> Run:
    """A queued run that is to create sixty people."""
    tenant = services.create_tenant(actor=ACTOR, name="One")
    connect(tenant, lab)
    mappings.apply_recommended(actor=ACTOR, tenant=tenant)
    people = [hire(lab, f"One {n} Run") for n in range(60)]
    assign(tenant, group_of(lab, "One-Run", people))
    return request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True)


def fork(work: Callable[[], object]) -> int:
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def made(lab: Lab) -> Counter[str]:
    posts = [entry for entry in lab.requests() if entry["method"] == "POST" and entry["applied"]]
    return Counter(entry["request"]["displayName"] for entry in posts)


def test_ten_copies_of_a_task_are_one_run(asked: Run, lab: Lab) -> None:
    """Also what a broker does that takes a long task for lost: the second copy comes while the first one works."""
    workers = [fork(lambda: execution.execute_run(asked.pk)) for _ in range(10)]
    assert [ended(pid) for pid in workers] == [0] * 10
    asked.refresh_from_db()
    assert (asked.state, asked.attempts) == (Run.State.COMPLETED, 1)
    assert len(made(lab)) == 61
    assert set(made(lab).values()) == {1}


def test_a_message_that_comes_after_the_run_is_over_does_nothing(asked: Run, lab: Lab) -> None:
    execution.execute_run(asked.pk)
    lab.forget_requests()
    epoch = Tenant.objects.get().lease_epoch
    assert execution.execute_run(asked.pk) is None
    assert (Tenant.objects.get().lease_epoch, lab.requests()) == (epoch, [])


def test_two_beats_at_once_ask_for_one_run(asked: Run) -> None:
    Run.objects.update(state=Run.State.COMPLETED)
    for _ in range(5):
        Tenant.objects.update(enabled=True, next_run_at=timezone.now())
        before = Run.objects.count()
        beats = [fork(dispatch) for _ in range(2)]
        assert [ended(pid) for pid in beats] == [0, 0]
        assert Run.objects.count() == before + 1
        Run.objects.update(state=Run.State.COMPLETED)


def test_a_message_that_got_lost_is_sent_again(asked: Run) -> None:
    long_ago = timezone.now() - datetime.timedelta(minutes=5)
    Run.objects.update(enqueued_at=long_ago)
    dispatch()
    sent_at = Run.objects.get().enqueued_at
    assert sent_at is not None
    assert sent_at > long_ago
    # The next beat gives it time.
    dispatch()
    assert Run.objects.get().enqueued_at == sent_at


def test_a_worker_that_slept_past_its_lease_begins_nothing_new(asked: Run, lab: Lab, settings: Any) -> None:
    settings.LEASE_SECONDS = 1
    sleeper = fork(lambda: carry_out_and_sleep(asked.pk))
    _pid, status = os.waitpid(sleeper, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    old = Tenant.objects.get().lease_epoch
    intended = set(Operation.objects.filter(result=Result.SENT).values_list("object_id", flat=True))
    before = Operation.objects.filter(epoch=old).count()
    assert intended
    until(lambda: abandoned_runs().exists(), 10)
    try:
        assert execution.execute_run(asked.pk) is not None
        seen = len(lab.requests())
    finally:
        os.kill(sleeper, signal.SIGCONT)
    assert ended(sleeper) == 0
    late = [entry for entry in lab.requests()[seen:] if entry["method"] != "GET"]
    assert {entry["request"].get("externalId") for entry in late} <= intended
    assert Operation.objects.filter(epoch=old).count() == before
    asked.refresh_from_db()
    assert (asked.state, Tenant.objects.get().lease_epoch) == (Run.State.COMPLETED, old + 1)
    assert set(made(lab).values()) == {1}
    assert len(lab.aws()["users"]) == 60
    compared_clean(asked.tenant)


def carry_out_and_sleep(run_id: int) -> None:
    """Stops itself where requests are intended and some are under way."""
    passed: Counter[str] = Counter()

    def listen(name: str) -> None:
        passed[name] += 1
        if name == "intent committed" and passed[name] == 2:
            os.kill(os.getpid(), signal.SIGSTOP)

    checkpoints.listeners.append(listen)
    execution.execute_run(run_id)


def compared_clean(tenant: Tenant) -> None:
    compare = request_run(tenant=tenant, kind=Run.Kind.VERIFY, trigger=Run.Trigger.COMMAND, enqueue=False)
    finished = execution.execute_run(compare.pk)
    assert finished is not None
    assert finished.state == Run.State.COMPLETED
    assert not Drift.objects.filter(tenant=tenant).exists()
