"""First runs against an AWS that answers late, or allows fewer requests than a run may send: complete and exact."""

from typing import Any

import pytest

from sync.configuration import mappings
from sync.models import Result, Run, Tenant
from tests.world.company import group_of, hire, names
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, connect, sync

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 75


def hire_team(lab: Lab, count: int = PEOPLE) -> dict[str, Any]:
    return group_of(lab, "Slow-Team", [hire(lab, f"Sl Ow{n:03}") for n in range(count)])


def complete(lab: Lab, run: Run, count: int = PEOPLE) -> bool:
    """Everybody was made once, and nothing is open."""
    made = [
        one for one in lab.requests() if one["method"] == "POST" and one["path"].endswith("/Users") and one["applied"]
    ]
    assert len(names(lab)) == len(made) == count
    assert run.state == Run.State.COMPLETED
    return not run.operations.filter(result__in=(Result.PLANNED, Result.SENT, Result.WILL_RETRY)).exists()


def test_requests_that_waited_longer_than_the_lease_are_begun_again(wired: Tenant, lab: Lab, settings: Any) -> None:
    """Ten connections and 60 intents at a third of a second each: the last ones wait longer than a second."""
    settings.LEASE_SECONDS = 1
    lab.call("POST", "faults", {"part": "aws", "kind": "delay", "match": "POST", "seconds": 0.3, "times": -1})
    assign(wired, hire_team(lab))
    assert complete(lab, sync(wired))


def test_a_long_retry_after_delays_the_run_and_nothing_else(wired: Tenant, lab: Lab, settings: Any) -> None:
    settings.LEASE_SECONDS = 1
    throttled = {"part": "aws", "kind": "status", "status": 429, "retry_after": "2", "match": "POST", "skip": 29}
    lab.call("POST", "faults", throttled)
    assign(wired, hire_team(lab))
    assert complete(lab, sync(wired))


def test_an_aws_that_others_use_too_is_not_asked_faster_than_it_allows(
    tenant: Tenant, tmp_path_factory: pytest.TempPathFactory, settings: Any
) -> None:
    with Lab(tmp_path_factory.mktemp("slow"), "--aws-tps", "10") as lab:
        settings.EXTRA_CLOUDS, settings.EXTRA_SCIM_HOSTS = lab.clouds, lab.scim_hosts
        connect(tenant, lab)
        mappings.apply_recommended(actor=ACTOR, tenant=tenant)
        assign(tenant, hire_team(lab, 40))
        run = sync(tenant)
        assert complete(lab, run, 40)
        assert run.scim_requests["throttled"] < 40 / 2
        assert settings.SCIM_RATE > 10
