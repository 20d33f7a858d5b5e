"""A quarantine ends by a sync that AWS answered, and by nothing else."""

import pytest

from sync.models import Run, Tenant
from tests.world.company import hire
from tests.world.lab import Lab
from tests.world.tenant import assign, attempt, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(3, groups=1, memberships=2)]


@pytest.fixture
def quarantined(wired: Tenant, lab: Lab) -> Tenant:
    """AWS refuses the token, and there is nothing to write."""
    assign(wired, hire(lab, "Ada Lind"))
    sync(wired)
    lab.call("POST", "faults", {"part": "aws", "kind": "status", "status": 401, "times": -1})
    assert attempt(wired, Run.Kind.FULL).problem == "token-refused"
    return wired


def is_quarantined(tenant: Tenant) -> bool:
    tenant.refresh_from_db()
    return tenant.quarantined_at is not None


def test_a_try_with_nothing_to_write_asks_aws_all_the_same(quarantined: Tenant) -> None:
    run = attempt(quarantined)
    assert (run.state, run.problem) == (Run.State.FAILED, "token-refused")
    assert is_quarantined(quarantined)
    assert quarantined.quarantine_tries == 2


@pytest.mark.parametrize("kind", Run.SYNCS)
def test_the_first_sync_that_aws_answers_ends_it(quarantined: Tenant, lab: Lab, kind: str) -> None:
    lab.call("DELETE", "faults")
    assert attempt(quarantined, kind).state == Run.State.COMPLETED
    assert not is_quarantined(quarantined)


def test_a_preview_that_asks_aws_nothing_does_not_end_it(quarantined: Tenant) -> None:
    assert attempt(quarantined, Run.Kind.PREVIEW).state == Run.State.COMPLETED
    assert is_quarantined(quarantined)


def test_a_run_without_a_quarantine_asks_aws_nothing_more(wired: Tenant, lab: Lab) -> None:
    assign(wired, hire(lab, "Ada Lind"))
    sync(wired)
    lab.forget_requests()
    sync(wired)
    assert lab.requests() == []
