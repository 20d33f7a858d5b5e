"""A new installation over an AWS that an earlier one filled: linked, and nothing is written that AWS holds already."""

import pytest

from sync.models import Link, MembershipLink, Result, Run, Tenant
from sync.scim.resource import MANAGER
from tests.world.company import hire
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def test_managers_that_aws_holds_are_not_written_again(wired: Tenant, lab: Lab) -> None:
    boss, other = hire(lab, "Bo Ss"), hire(lab, "O Ther")
    team = [hire(lab, f"Re Port{n}", manager=boss["id"]) for n in range(25)]
    moved = hire(lab, "Mo Ved", manager=boss["id"])
    assign(wired, boss, other, moved, *team)
    sync(wired)
    MembershipLink.objects.all().delete()
    Link.objects.all().delete()
    lab.call("PATCH", f"entra/users/{moved['id']}", {"manager": other["id"]})
    lab.forget_requests()
    run = sync(wired, Run.Kind.FULL)
    assert run.counts[Result.LINKED] == 28
    assert [one["method"] for one in lab.requests() if one["method"] != "GET"] == ["PATCH"]
    assert Link.objects.get(object_id=team[0]["id"]).written[MANAGER] == {"value": boss["id"]}
