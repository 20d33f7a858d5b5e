"""Whoever has left for good loses name and values in log, holds, link and directory; whoever may still matter keeps them."""

import datetime
import json
from typing import Any

import pytest
from django.core import serializers
from django.utils import timezone

from sync.models import (
    DirectoryUser,
    HeldChange,
    Hold,
    LeftDifference,
    Link,
    LoggedName,
    Operation,
    Run,
    Standing,
    Tenant,
)
from sync.retention import queries, services
from tests.world.runs import new_run, operation

pytestmark = pytest.mark.django_db
GIA = "aaaaaaaa-1111-4111-8111-222222222222"
NAME, LOGIN = "Gia Marchetti", "gia.marchetti@acme.example"


@pytest.fixture(autouse=True)
def policy(settings: Any) -> None:
    settings.KEEP_LEAVERS_DAYS = 90


@pytest.fixture
def gia(tenant: Tenant) -> DirectoryUser:
    """Purged, and gone from AWS a hundred days ago."""
    facts = {"tenant": tenant, "object_id": GIA}
    run = new_run(tenant, 1)
    names = {"display_name": NAME, "detail_name": LOGIN, "object_id": GIA}
    changes: Any = {"displayName": {"before": NAME, "after": None, "mapping": "displayName"}}
    operation(tenant, run, **names, action="delete", result="deleted", changes=changes, request={"body": NAME})
    hold = Hold.objects.create(tenant=tenant, kind="people", run=run, closed_at=timezone.now())
    HeldChange.objects.create(hold=hold, tenant=tenant, action="disable", object_type="user", cause="deleted", **names)
    member = {"action": "remove_member", "object_type": "membership", "object_id": "g" * 36, "member_id": GIA}
    HeldChange.objects.create(
        hold=hold, tenant=tenant, cause="deleted", display_name=NAME, detail_name="AWS-Team", **member
    )
    link = Link.objects.create(
        object_type="user", written={"displayName": NAME}, held_name=LOGIN, wanted_name=LOGIN, **facts
    )
    left = {
        "kind": "differs",
        "unit": "displayName",
        "held": NAME,
        "reason": "As it was",
        "decided_by": "jo@acme.example",
    }
    LeftDifference.objects.create(tenant=tenant, link=link, scim_id="u1", name=NAME, **left)
    Standing.objects.create(kind="user", name=NAME, word="not_in_scope", since=timezone.now(), **facts)
    Operation.objects.update(created_at=timezone.now() - datetime.timedelta(days=100))
    return DirectoryUser.objects.create(
        deleted="purged", display_name=NAME, user_principal_name=LOGIN, properties={"surname": "Marchetti"}, **facts
    )


ABOUT_PEOPLE = (DirectoryUser, Operation, LoggedName, HeldChange, LeftDifference, Link, Standing)


def stored() -> str:
    """All rows that are about somebody."""
    rows = [row for model in ABOUT_PEOPLE for row in model.objects.all()]
    return str(json.loads(serializers.serialize("json", rows)))


def test_nothing_says_who_it_was_but_that_somebody_was_deleted(gia: DirectoryUser) -> None:
    assert "Marchetti" in stored()
    assert services.prune()["leavers"] == 1
    assert "archetti" not in stored()
    row = Operation.objects.get()
    assert (row.display_name, row.object_id, row.action, row.result) == ("[redacted]", GIA, "delete", "deleted")
    assert HeldChange.objects.get(member_id=GIA).detail_name == "AWS-Team", "the group's name"
    assert services.prune()["leavers"] == 0


@pytest.mark.usefixtures("gia")
@pytest.mark.parametrize("why", ["in AWS still", "in the recycle bin", "lately", "sent"])
def test_whoever_may_still_matter_keeps_name_and_values(why: str) -> None:
    if why == "in AWS still":
        Link.objects.update(scim_id="g" * 36)
    elif why == "in the recycle bin":
        DirectoryUser.objects.update(deleted="soft")
    elif why == "lately":
        Operation.objects.update(created_at=timezone.now() - datetime.timedelta(days=80))
    else:
        Run.objects.update(state="running")
        Operation.objects.update(result="sent")
    before = stored()
    services.prune()
    assert stored() == before


@pytest.mark.usefixtures("gia")
def test_the_same_id_in_another_tenant_is_somebody_elses(tenant: Tenant) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    operation(other, new_run(other, 1), display_name="Theirs", object_id=GIA)
    services.prune()
    assert Operation.objects.get(tenant=other).display_name == "Theirs"


def test_what_would_go_is_counted_and_by_default_nobody_is_redacted(gia: DirectoryUser, settings: Any) -> None:
    due = {one.kind.name: one.rows for one in queries.due()}
    assert due["leavers"] == 1
    settings.KEEP_LEAVERS_DAYS = 0
    before = stored()
    assert services.prune()["leavers"] == 0
    assert stored() == before
