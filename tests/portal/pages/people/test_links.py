"""A link that is wrong: it is cut, and the person is matched again or the user in AWS is left alone."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.models import Role, User
from sync.models import AuditEntry, LeftAlone, Link, MembershipLink, Run, Standing, Tenant
from sync.people import services
from sync.runs import lease
from sync.standings import queries
from tests.world.company import aws_group, aws_user, change, group_of, hire
from tests.world.lab import Lab
from tests.world.people import person
from tests.world.tenant import assign, sync

NUMBERS = itertools.count(1)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(6, groups=1, memberships=2)]


@pytest.fixture
def ada(wired: Tenant, lab: Lab) -> dict[str, Any]:
    """In AWS, in a group."""
    found = hire(lab, f"Ada Link{next(NUMBERS)}")
    assign(wired, group_of(lab, f"AWS-Links {found['displayName']}", [found]))
    sync(wired)
    return found


def address(ada: dict[str, Any], what: str = "") -> str:
    return f"/t/acme/people/{ada['id']}/{what}"


def members(lab: Lab, ada: dict[str, Any]) -> list[str]:
    ids: list[str] = aws_group(lab, f"AWS-Links {ada['displayName']}")["members"]
    return ids


def test_matching_again_finds_the_same_user_and_writes_what_differs(
    wired: Tenant, lab: Lab, jo: Client, ada: dict[str, Any]
) -> None:
    before = aws_user(lab, ada["id"])
    assert "permission sets and account assignments" in jo.get(address(ada, "match/")).content.decode()
    jo.post(address(ada, "match/"))
    link = Link.objects.get(object_type="user", object_id=ada["id"])
    assert (link.scim_id, MembershipLink.objects.filter(user=link).count()) == ("", 0)
    assert (Standing.objects.get(object_id=ada["id"]).word, queries.differences(wired)) == ("waiting", [])
    change(lab, ada, jobTitle="Countess")
    sync(wired)
    link.refresh_from_db()
    after = aws_user(lab, ada["id"])
    assert (link.scim_id, after["title"], members(lab, ada)) == (before["id"], "Countess", [before["id"]])
    entry = AuditEntry.objects.get(verb="link.match_again")
    assert (entry.actor, entry.before["scim_id"]) == ("jo@acme.example", before["id"])


def test_cutting_asks_why_and_leaves_the_user_in_aws_alone(
    wired: Tenant, lab: Lab, jo: Client, ada: dict[str, Any]
) -> None:
    before = aws_user(lab, ada["id"])
    assert "There is a problem" in jo.post(address(ada, "cut/"), {"reason": ""}).content.decode()
    jo.post(address(ada, "cut/"), {"reason": "Somebody else's account"})
    left = LeftAlone.objects.get()
    assert (left.scim_id, left.reason, left.decided_by) == (before["id"], "Somebody else's account", "jo@acme.example")
    change(lab, ada, jobTitle="Countess")
    sync(wired)
    sync(wired, Run.Kind.FULL)
    assert aws_user(lab, ada["id"]) == before
    standing = Standing.objects.get(object_id=ada["id"])
    assert (standing.word, standing.holder_id) == ("conflict", before["id"])
    assert queries.counts(wired)["only_in_aws"] == 0
    assert AuditEntry.objects.get(verb="link.cut").after["reason"] == "Somebody else's account"


def test_nothing_is_cut_while_a_run_is_in_progress(wired: Tenant, ada: dict[str, Any]) -> None:
    assert lease.claim(wired.pk) is not None
    link = Link.objects.get(object_type="user", object_id=ada["id"])
    with pytest.raises(lease.Busy):
        services.cut_link(link=link, actor="jo@acme.example", reason="x")
    link.refresh_from_db()
    assert (bool(link.scim_id), LeftAlone.objects.count()) == (True, 0)


@pytest.mark.parametrize(("name", "what"), [("match_again", "match/"), ("cut_link", "cut/")])
def test_a_run_in_progress_is_said(
    jo: Client, ada: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    def busy(**_: object) -> None:
        raise lease.Busy

    monkeypatch.setattr(services, name, busy)
    assert "a run is in progress" in jo.post(address(ada, what), {"reason": "x"}, follow=True).content.decode()


def test_whoever_may_not_approve_cuts_nothing(ada: dict[str, Any], client_of: Callable[[User], Client]) -> None:
    client = client_of(person("op@acme.example", Role.OPERATOR))
    assert "Cut link" not in client.get(address(ada)).content.decode()
    for what in ("match/", "cut/"):
        assert client.post(address(ada, what), {"reason": "x"}).status_code == 403


def test_whoever_is_not_linked_has_nothing_to_cut(wired: Tenant, lab: Lab, jo: Client, ada: dict[str, Any]) -> None:
    Link.objects.filter(object_type="user").update(scim_id="")
    assert jo.get(address(ada, "cut/")).status_code == 404
