"""A new installation over an AWS that an earlier one filled: linked, and nothing is written that AWS holds already."""

import pytest

from sync.approvals.services import adopt_object, adoptable
from sync.models import Adoption, Link, MembershipLink, Result, Run, Tenant
from sync.scim.resource import MANAGER
from tests.world.company import aws_user, hire
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

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


def test_who_reports_to_somebody_linked_by_hand_gets_that_manager(wired: Tenant, lab: Lab) -> None:
    Tenant.objects.filter(pk=wired.pk).update(adoption=Adoption.BY_HAND)
    boss = hire(lab, "Bo Handed")
    facts = {"userName": boss["userPrincipalName"], "displayName": "Bo", "name": {"givenName": "Bo", "familyName": "H"}}
    held = lab.call("POST", "aws/users", facts)
    report = hire(lab, "Re Handed", manager=boss["id"])
    assign(wired, boss, report)
    sync(wired)
    sync(wired)
    [link] = adoptable(wired)
    adopt_object(link=link, actor=ACTOR)
    sync(wired)
    sync(wired)
    assert aws_user(lab, report["id"])[MANAGER.rpartition(":")[0]]["manager"]["value"] == held["id"]
