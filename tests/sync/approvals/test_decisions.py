"""What a person is asked to decide: counted for every page, so with few questions and by indexes."""

import pytest

from sync.approvals.services import decisions
from sync.models import Link, Tenant
from tests.world.plans import on_sqlite, plans_of
from tests.world.runs import new_run

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def proposed(tenant: Tenant, scim_id: str) -> Link:
    facts = {"object_type": "user", "object_id": scim_id, "match_code": Link.PROPOSED[0], "match_scim_id": scim_id}
    return Link.objects.create(tenant=tenant, **facts)


def test_a_proposal_counts_until_it_is_linked_or_left_alone(tenant: Tenant) -> None:
    new_run(tenant, 1)
    assert decisions(tenant).count == 0
    link = proposed(tenant, "aws-1")
    assert (decisions(tenant).proposed, decisions(tenant).count) == (True, 1)
    tenant.left_alone.create(scim_id="aws-1", object_type="user", reason="Another tool’s")
    assert not decisions(tenant).proposed
    proposed(tenant, "aws-2")
    assert decisions(tenant).proposed
    Link.objects.exclude(pk=link.pk).update(scim_id="aws-2")
    assert not decisions(tenant).proposed


@on_sqlite
def test_it_does_not_look_at_every_link(tenant: Tenant) -> None:
    assert "link_without_object" in plans_of(lambda: decisions(tenant))
