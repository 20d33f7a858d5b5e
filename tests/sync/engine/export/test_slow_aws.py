"""First runs against an AWS that answers late, or allows fewer requests than a run may send: complete and exact."""

import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from sync.connection import clients
from sync.engine.export.stages import CONNECTIONS
from sync.models import Result, Run, Tenant
from sync.scim.client import ScimClient
from sync.scim.pacing import Pacer
from tests.world.company import aws_group, group_of, hire, names
from tests.world.examples import nightly
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = pytest.mark.django_db(transaction=True)
# Rates, answers and waits of AWS at their documented size, on a clock that goes ten times as fast as the wall's.
SPEED = 10
QUOTA, RATE = 20, 18
# Longer than any wait that an answer asks for: who would sleep it stands still, and fails instead.
LONGEST_SLEEP = 120
# Seconds of the fast clock for what this machine needs itself.
OVERHEAD = 120


def hire_team(lab: Lab, count: int) -> dict[str, Any]:
    return group_of(lab, "Slow-Team", [hire(lab, f"Sl Ow{n:03}") for n in range(count)])


def complete(lab: Lab, run: Run, count: int) -> bool:
    """Everybody was made once, and nothing is open."""
    made = [
        one for one in lab.requests() if one["method"] == "POST" and one["path"].endswith("/Users") and one["applied"]
    ]
    assert len(names(lab)) == len(made) == count
    assert run.state == Run.State.COMPLETED
    return not run.operations.filter(result__in=(Result.PLANNED, Result.SENT, Result.WILL_RETRY)).exists()


def fast(sleep: Callable[[float], None], seconds: float) -> None:
    assert seconds <= LONGEST_SLEEP, f"{seconds} seconds of sleep"
    sleep(seconds / SPEED)


@pytest.fixture
def fast_clock(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's clock and sleep, and the lease, go SPEED times as fast."""

    def clock() -> float:
        return time.monotonic() * SPEED

    def client(*words: Any, sleep: Callable[[float], None], **more: Any) -> ScimClient:
        slept = partial(fast, sleep)
        return ScimClient(
            *words, **more | {"sleep": slept, "clock": clock, "pacer": Pacer(RATE, clock=clock, sleep=slept)}
        )

    settings.LEASE_SECONDS = 25 / SPEED
    monkeypatch.setattr(clients, "ScimClient", client)


def timed_first_run(tenant: Tenant, lab: Lab, people: int) -> tuple[float, int]:
    """Seconds between AWS's first request and its last, on the fast clock, and the requests; the run is complete and exact."""
    assign(tenant, hire_team(lab, people))
    lab.forget_requests()
    assert complete(lab, sync(tenant), people)
    assert len(aws_group(lab, "Slow-Team")["members"]) == people
    moments = [request["at"] for request in lab.requests()]
    return (max(moments) - min(moments)) * SPEED, len(moments)


@pytest.mark.company(aws_tps=QUOTA, aws_speed=SPEED)
@pytest.mark.parametrize("allowed", [10, *nightly(5, 14)])
def test_an_aws_whose_quota_others_use_too_is_written_in_the_time_that_the_rest_allows(
    wired: Tenant, lab: Lab, fast_clock: None, allowed: int
) -> None:
    lab.call("POST", "aws/switches", {"others": QUOTA - allowed})
    seconds, requests = timed_first_run(wired, lab, 200)
    assert 0 < lab.call("GET", "aws/counts")["throttled"] < requests / 4
    assert seconds < 2 * requests / allowed + OVERHEAD


@pytest.mark.company(aws_speed=SPEED)
def test_answers_of_six_seconds_delay_a_run_by_no_more_than_they_take(
    wired: Tenant, lab: Lab, fast_clock: None
) -> None:
    """Sixty intents over ten connections: the last ones wait longer than the lease, and are begun again."""
    lab.call("POST", "aws/switches", {"answer_ms": 6000})
    seconds, requests = timed_first_run(wired, lab, 75)
    one_after_another = 4
    assert seconds < 6 * (requests / CONNECTIONS + one_after_another) + OVERHEAD


def test_a_retry_after_of_forty_seconds_delays_a_run_by_forty_seconds(
    wired: Tenant, lab: Lab, fast_clock: None
) -> None:
    throttled = {"part": "aws", "kind": "status", "status": 429, "retry_after": "40", "match": "POST", "skip": 29}
    lab.call("POST", "faults", throttled)
    seconds, requests = timed_first_run(wired, lab, 75)
    assert seconds < 40 + 2 * requests / RATE + OVERHEAD
    moments = [request["at"] * SPEED for request in lab.requests()]
    assert max(later - earlier for earlier, later in pairwise(moments)) > 39
