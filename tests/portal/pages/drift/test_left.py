"""Differences that somebody leaves as AWS has them: with the reason, until AWS holds something else, and until it is taken back."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.models import Role, User
from sync.models import AuditEntry, Drift, LeftDifference, Link, Run, Standing, Tenant
from sync.runs.lease import claim
from sync.scim.resource import REDACTED
from sync.standings import leaving, queries
from sync.standings.services import refresh_all
from tests.world.company import aws_group, aws_user, hire
from tests.world.lab import Lab
from tests.world.mirrored import found, linked, mirrored_group, mirrored_person, new_comparison
from tests.world.people import person
from tests.world.tenant import assign, sync

PAGE = "/t/acme/drift/"
WHY = "Payroll keeps its own titles, ticket 812"
CHIEF = {"title": {"written": "Clerk", "held": "Chief"}}


@pytest.fixture
def adele(tenant: Tenant) -> Link:
    """AWS holds another title than was written."""
    link = linked(mirrored_person(tenant, "Adele"), written={"title": "Clerk", "active": True})
    found(new_comparison(tenant), "differs", link, name="Adele", facts=CHIEF)
    refresh_all(tenant)
    return link


def word(object_id: str) -> str:
    return Standing.objects.get(object_id=object_id).word


def text_of(client: Client, address: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(address).content.decode()).split())


@pytest.mark.django_db
def test_leaving_asks_for_a_reason_and_remembers_who_gave_it(tenant: Tenant, adele: Link, jo: Client) -> None:
    row = Drift.objects.get()
    assert f"leave-{row.pk}" in jo.get(PAGE).content.decode()
    asked = text_of(jo, f"{PAGE}leave/?row={row.pk}")
    assert "Leave what is chosen as AWS has it?" in asked
    assert "Adele" in asked
    assert "There is a problem" in jo.post(f"{PAGE}leave/", {"row": row.pk, "reason": " "}).content.decode()
    assert word(adele.object_id) == "differs"
    jo.post(f"{PAGE}leave/", {"row": row.pk, "reason": WHY})
    assert (word(adele.object_id), queries.differences(tenant)) == ("in_aws", [])
    page = text_of(jo, PAGE)
    assert "Nothing differs" in page
    assert "1 difference is left as AWS has it" in page
    shown = text_of(jo, f"{PAGE}left/")
    for words in ("Adele", "Chief", WHY, "jo@acme.example"):
        assert words in shown
    entry = AuditEntry.objects.get(verb="drift.leave_difference")
    said = entry.after
    assert (entry.actor, said["about"], said["held"], said["reason"]) == (
        "jo@acme.example",
        "Adele, title",
        "Chief",
        WHY,
    )


@pytest.mark.django_db
def test_everything_that_differs_of_a_person_is_left_from_their_page(adele: Link, jo: Client) -> None:
    address = f"{PAGE}leave/?object={adele.object_id}"
    assert address in jo.get(f"/t/acme/people/{adele.object_id}/").content.decode()
    jo.post(f"{PAGE}leave/", {"object": adele.object_id, "reason": WHY})
    assert word(adele.object_id) == "in_aws"
    told = text_of(jo, f"/t/acme/people/{adele.object_id}/")
    assert f"Left as AWS has it: title Chief {WHY} · jo@acme.example" in told


@pytest.mark.django_db
def test_what_was_left_can_be_decided_again(tenant: Tenant, adele: Link, jo: Client) -> None:
    jo.post(f"{PAGE}leave/", {"object": adele.object_id, "reason": WHY})
    jo.post(f"{PAGE}left/{LeftDifference.objects.get().pk}/undo/")
    assert (word(adele.object_id), LeftDifference.objects.count()) == ("differs", 0)
    assert AuditEntry.objects.filter(verb="drift.stop_leaving_difference").exists()
    assert "Nothing is left as AWS has it" in text_of(jo, f"{PAGE}left/")


@pytest.mark.django_db
def test_what_is_hidden_or_missing_in_aws_or_a_leaver_enabled_there_is_not_left(tenant: Tenant, jo: Client) -> None:
    run, group = new_comparison(tenant), linked(mirrored_group(tenant, "Admins"))
    secret = linked(mirrored_person(tenant, "Kim"), written={"title": "Clerk"})
    hidden = {"title": {"written": REDACTED, "held": REDACTED}, "active": {"written": False, "held": True}}
    rows = [found(run, "differs", secret, facts=hidden), found(run, "member_missing", group, member_scim_id="u1")]
    refresh_all(tenant)
    for row in rows:
        assert "Nothing of it can be left" in text_of(jo, f"{PAGE}leave/?row={row.pk}")
        jo.post(f"{PAGE}leave/", {"row": row.pk, "reason": WHY})
    assert not LeftDifference.objects.exists()
    assert (word(secret.object_id), word(group.object_id)) == ("differs", "differs")


@pytest.mark.django_db
def test_whoever_may_not_approve_reads_and_leaves_nothing(
    adele: Link, jo: Client, client_of: Callable[[User], Client]
) -> None:
    row = Drift.objects.get()
    client = client_of(person("vi@acme.example", Role.VIEWER))
    assert f"leave-{row.pk}" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}leave/", {"row": row.pk, "reason": WHY}).status_code == 403
    jo.post(f"{PAGE}leave/", {"row": row.pk, "reason": WHY})
    assert "Decide again" not in text_of(client, f"{PAGE}left/")
    assert client.post(f"{PAGE}left/{LeftDifference.objects.get().pk}/undo/").status_code == 403


@pytest.mark.django_db
def test_an_approver_leaves_what_they_may_not_repair(
    tenant: Tenant, adele: Link, client_of: Callable[[User], Client]
) -> None:
    row, group = Drift.objects.get(), linked(mirrored_group(tenant, "Admins"))
    found(row.run, "member_extra", group, name="Admins", member_scim_id="u9")
    refresh_all(tenant)
    client = client_of(person("ann@acme.example", Role.APPROVER))
    page = client.get(PAGE).content.decode()
    for there in (f"leave-{row.pk}", "leave-ticked-differs", f"tick-{row.pk}"):
        assert f'id="{there}"' in page
    assert "Repair ticked" not in page
    assert f"{PAGE}leave/?object={group.object_id}" in client.get(f"/t/acme/groups/{group.object_id}/").content.decode()
    client.post(f"{PAGE}leave/", {"row": row.pk, "reason": WHY})
    assert word(adele.object_id) == "in_aws"


@pytest.mark.django_db
def test_a_part_of_a_value_that_somebody_adds_is_something_else(tenant: Tenant, jo: Client) -> None:
    kim = linked(mirrored_person(tenant, "Kim"), written={"addresses": []})
    home = {"type": "work", "streetAddress": "1 Main St"}
    for held, left in ((home, True), (home | {"country": "X"}, False)):
        run = new_comparison(tenant)
        found(run, "differs", kim, facts={"addresses": {"written": [], "held": [held]}})
        leaving.note(run.drifts.all(), tenant.left_differences.all())
        refresh_all(tenant)
        if not LeftDifference.objects.exists():
            jo.post(f"{PAGE}leave/", {"object": kim.object_id, "reason": WHY})
        assert (word(kim.object_id) == "in_aws") is left


@pytest.mark.django_db
def test_no_more_are_left_at_once_than_a_form_can_name(
    tenant: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.drift.services.AT_ONCE", 3)
    run, group = new_comparison(tenant), linked(mirrored_group(tenant, "Admins"))
    for n in range(5):
        found(run, "member_extra", group, name="Admins", member_scim_id=f"u{n}")
    asked = jo.get(f"{PAGE}leave/?object={group.object_id}").content.decode()
    assert len(re.findall(r'name="row" value="', asked)) == 3
    assert "No more than 3 are left at once" in asked


@pytest.mark.django_db
def test_another_field_that_differs_is_repaired_and_the_left_one_stays(tenant: Tenant, adele: Link, jo: Client) -> None:
    jo.post(f"{PAGE}leave/", {"object": adele.object_id, "reason": WHY})
    run = new_comparison(tenant)
    nick = {"nickName": {"written": "", "held": "Dell"}}
    found(run, "differs", adele, name="Adele", facts=CHIEF | nick)
    leaving.note(run.drifts.all(), tenant.left_differences.all())
    assert [list(row.facts) for row in run.drifts.filter(left_alone=True)] == [["title"]]
    refresh_all(tenant)
    assert word(adele.object_id) == "differs"
    assert "Left as AWS has it: title Chief" in text_of(jo, f"/t/acme/people/{adele.object_id}/")
    jo.post(f"{PAGE}repair/")
    adele.refresh_from_db()
    assert adele.written == {"title": "Clerk", "active": True, "nickName": None}


@pytest.mark.django_db
def test_of_another_object_in_aws_nothing_is_left(tenant: Tenant, adele: Link, jo: Client) -> None:
    jo.post(f"{PAGE}leave/", {"object": adele.object_id, "reason": WHY})
    Link.objects.update(scim_id="another")
    adele.refresh_from_db()
    run = new_comparison(tenant)
    found(run, "differs", adele, name="Adele", facts=CHIEF)
    leaving.note(run.drifts.all(), tenant.left_differences.all())
    assert not run.drifts.filter(left_alone=True).exists()
    assert "Left as AWS has it" not in text_of(jo, f"/t/acme/people/{adele.object_id}/")


@pytest.mark.django_db
def test_only_what_the_question_named_is_left(tenant: Tenant, adele: Link, jo: Client) -> None:
    asked = jo.get(f"{PAGE}leave/?object={adele.object_id}").content.decode()
    named = re.findall(r'name="row" value="(\d+)"', asked)
    found(new_comparison(tenant), "differs", adele, facts={"title": {"written": "Clerk", "held": "Emperor"}})
    page = jo.post(f"{PAGE}leave/", {"row": named, "reason": WHY}, follow=True)
    assert "Nothing was left: it does not differ any more" in page.content.decode()
    assert not LeftDifference.objects.exists()


@pytest.mark.django_db
def test_while_a_run_is_in_progress_nobody_decides(tenant: Tenant, adele: Link, jo: Client) -> None:
    jo.post(f"{PAGE}leave/", {"object": adele.object_id, "reason": WHY})
    lease = claim(tenant.pk)
    assert lease is not None
    left = LeftDifference.objects.get()
    for address, data in ((f"{PAGE}leave/", {"row": 1, "reason": WHY}), (f"{PAGE}left/{left.pk}/undo/", {})):
        assert "a run is in progress" in jo.post(address, data, follow=True).content.decode()
    assert LeftDifference.objects.count() == 1


@pytest.mark.django_db
def test_many_are_left_with_few_questions(
    tenant: Tenant, jo: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    run, group = new_comparison(tenant), linked(mirrored_group(tenant, "Admins"))
    for n in range(40):
        found(run, "member_extra", group, name="Admins", member_scim_id=f"u{n}")
    refresh_all(tenant)
    with django_assert_max_num_queries(60):
        jo.post(f"{PAGE}leave/", {"object": group.object_id, "reason": WHY})
    assert LeftDifference.objects.count() == 40


@pytest.fixture
def team(wired: Tenant, lab: Lab) -> dict[str, Any]:
    """Three people in a group, in step with AWS."""
    people = [hire(lab, f"Left {n} Alone", jobTitle="Clerk") for n in range(3)]
    ids = [one["id"] for one in people]
    group = lab.call("POST", "entra/groups", {"displayName": f"Team {ids[0][:8]}", "members": ids})
    assign(wired, group)
    sync(wired)
    return {"tenant": wired, "ids": ids, "name": group["displayName"]}


@pytest.mark.django_db(transaction=True)
@pytest.mark.both
def test_later_runs_keep_to_it_until_aws_holds_something_else(team: dict[str, Any], lab: Lab, jo: Client) -> None:
    tenant, first = team["tenant"], team["ids"][0]
    held, group = aws_user(lab, first), aws_group(lab, team["name"])
    names = {
        "displayName": "Old Build",
        "name": {"givenName": "Old", "familyName": "Build"},
        "userName": "old@x.example",
    }
    stranger = lab.call("POST", "aws/users", names)
    lab.call("PATCH", f"aws/users/{held['id']}", {"title": "Chief"})
    lab.call("POST", f"aws/groups/{group['id']}/members", {"add": [stranger["id"]]})
    assert sync(tenant, Run.Kind.VERIFY).state == Run.State.COMPLETED_WITH_DIFFERENCES
    rows = Drift.objects.filter(kind__in=("differs", "member_extra"))
    jo.post(f"{PAGE}leave/", {"row": [row.pk for row in rows], "reason": WHY})
    Tenant.objects.update(repair=True)
    run = sync(tenant, Run.Kind.FULL)
    assert run.drifts.filter(left_alone=True).count() == 2
    assert not run.drifts.undecided().exclude(kind="only_in_aws").exists()
    group_id = Standing.objects.get(name=team["name"]).object_id
    assert {word(first), word(group_id)} == {"in_aws"}
    assert "only in AWS 0 1 is left" in text_of(jo, f"/t/acme/groups/{group_id}/")
    assert queries.differences(tenant) == []
    sync(tenant)
    assert aws_user(lab, first)["title"] == "Chief", "no repair writes over it"
    assert stranger["id"] in aws_group(lab, team["name"])["members"]

    Tenant.objects.update(repair=False)
    lab.call("PATCH", f"aws/users/{held['id']}", {"title": "Emperor"})
    sync(tenant, Run.Kind.VERIFY)
    assert word(first) == "differs", "that is something else"
    assert [one.member_scim_id for one in LeftDifference.objects.all()] == [stranger["id"]]
    over = AuditEntry.objects.get(verb="drift.left_is_over").before
    assert (over["unit"], "held" in over) == ("title", False)
    lab.call("PATCH", f"aws/users/{held['id']}", {"title": "Chief"})
    sync(tenant, Run.Kind.VERIFY)
    assert word(first) == "differs", "what was over is asked about again"


def leave_title(team: dict[str, Any], lab: Lab, jo: Client) -> None:
    """The first of them has another one in AWS, and keeps it."""
    first = team["ids"][0]
    lab.call("PATCH", f"aws/users/{aws_user(lab, first)['id']}", {"title": "Chief"})
    sync(team["tenant"], Run.Kind.VERIFY)
    jo.post(f"{PAGE}leave/", {"object": first, "reason": WHY})


@pytest.mark.django_db(transaction=True)
def test_it_is_remembered_while_nobody_compares_the_field(team: dict[str, Any], lab: Lab, jo: Client) -> None:
    tenant, first = team["tenant"], team["ids"][0]
    leave_title(team, lab, jo)
    lab.call("PATCH", f"entra/users/{first}", {"accountEnabled": False})
    sync(tenant)
    sync(tenant, Run.Kind.VERIFY)
    lab.call("PATCH", f"entra/users/{first}", {"accountEnabled": True})
    sync(tenant)
    run = sync(tenant, Run.Kind.VERIFY)
    assert not run.drifts.undecided().exists()
    assert LeftDifference.objects.get().held == "Chief"


@pytest.mark.django_db(transaction=True)
def test_a_value_that_changes_in_entra_is_written_all_the_same(team: dict[str, Any], lab: Lab, jo: Client) -> None:
    tenant, first = team["tenant"], team["ids"][0]
    leave_title(team, lab, jo)
    lab.call("PATCH", f"entra/users/{first}", {"jobTitle": "Director"})
    sync(tenant)
    assert aws_user(lab, first)["title"] == "Director"
    assert "Left as AWS has it" not in text_of(jo, f"/t/acme/people/{first}/"), "AWS has it no more"
