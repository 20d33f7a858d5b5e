"""A small plain company (36 people in 6 teams of 12) that AWS holds, and a Graph that can be told to misbehave."""

import pytest

from sync.models import Tenant
from tests.world.company import TEAMS, active, switch
from tests.world.kept import Kept
from tests.world.lab import Lab
from tests.world.tenant import assign, sync


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """Rounds have several pages."""
    switch(lab, page_size=10, portion=15)
    return lab


@pytest.fixture
def settled(kept: Kept) -> Tenant:
    return kept(all_teams_in_aws).tenant


def all_teams_in_aws(tenant: Tenant, lab: Lab) -> None:
    assign(tenant, *(lab.entra_group(name) for name in TEAMS))
    sync(tenant)
    assert len(active(lab)) >= 36
    lab.forget_requests()
    lab.call("DELETE", "graph/ledger")
