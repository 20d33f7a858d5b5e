"""Assignments as pages: what the tables show and count, what edits leave in the draft, what is said beforehand."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.models import User
from sync.configuration import assignments, drafts, versions
from sync.configuration.settings import set_settings
from sync.directory import live
from sync.directory.live import Found
from sync.graph.errors import Forbidden, ServerError, Throttled
from sync.models import (
    Assignment,
    DirectoryGroup,
    DirectoryMembership,
    DirectoryUser,
    Snapshot,
    Standing,
    Tenant,
)

pytestmark = [pytest.mark.django_db, pytest.mark.company(60)]
ACTOR = "jo@acme.example"
PAGE = "/t/acme/assignments/"
HTMX = {"HX-Request": "true"}


def oid(n: int) -> str:
    return f"{n:08d}-1111-4111-8111-111111111111"


ADMINS, DEVS, LEADS, KAVI, NG, MO = (oid(n) for n in range(6))


@pytest.fixture
def company(tenant: Tenant) -> Tenant:
    """AWS-Admins lists Kavi and Ng, AWS-Devs lists Ng, and inside AWS-Devs the group Leads lists Mo."""
    Snapshot.objects.create(tenant=tenant, full=True, sealed_at=timezone.now())
    for object_id, name in ((ADMINS, "AWS-Admins"), (DEVS, "AWS-Devs"), (LEADS, "Leads")):
        DirectoryGroup.objects.create(tenant=tenant, object_id=object_id, display_name=name)
    people = ((KAVI, "Kavi", [ADMINS]), (NG, "Ng", [ADMINS, DEVS]), (MO, "Mo", [LEADS]))
    for object_id, name, groups in people:
        login = f"{name}@acme.example".lower()
        DirectoryUser.objects.create(
            tenant=tenant, object_id=object_id, display_name=name, user_principal_name=login, in_scope=True
        )
        for group in groups:
            DirectoryMembership.objects.create(tenant=tenant, group_id=group, member_id=object_id)
    DirectoryMembership.objects.create(tenant=tenant, group_id=DEVS, member_id=LEADS, member_type="group")
    assignments.assign_objects(
        actor=ACTOR,
        tenant=tenant,
        chosen=[
            Found("group", ADMINS, "AWS-Admins", "", "role-assignable"),
            Found("group", DEVS, "AWS-Devs", "", "security"),
            Found("user", NG, "Ng", "ng@acme.example", "person"),
        ],
    )
    return tenant


@pytest.fixture
def published(company: Tenant) -> Tenant:
    versions.make_version(drafts.draft_or_current(company), actor=ACTOR)
    return company


def row_of(page: str, object_id: str) -> str:
    """The text of one row, without its tags."""
    row = page.partition(f'id="row-{object_id}"')[2].partition("</tr>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", row.partition(">")[2]).split())


def shown_assignment(tenant: Tenant, object_id: str) -> Assignment:
    return drafts.draft_or_current(tenant).assignments.get(object_id=object_id)


def test_nobody_assigned_offers_both_ways_in(tenant: Tenant, jo: Client) -> None:
    page = jo.get(PAGE).content.decode()
    assert "Nobody is assigned" in page
    assert f'href="{PAGE}assign/"' in page
    assert f'href="{PAGE}paste/"' in page


def test_a_group_shows_direct_effective_and_only_through(company: Tenant, jo: Client) -> None:
    assignments.set_nested(actor=ACTOR, tenant=company, assignment=shown_assignment(company, DEVS), nested=True)
    page = jo.get(PAGE).content.decode()
    assert row_of(page, ADMINS).startswith("AWS-Admins Role-assignable group Waiting for next run 2 2 1")
    assert row_of(page, DEVS).startswith("AWS-Devs Security group Waiting for next run 1 2 1")
    assert "Include nested groups" in row_of(page, DEVS)
    assert "Direct members only" in row_of(page, ADMINS)


def test_a_person_shows_login_readiness_and_other_ways(company: Tenant, jo: Client) -> None:
    Standing.objects.create(
        tenant=company, kind="user", object_id=NG, word="not_ready", code="missing-family-name", since=timezone.now()
    )
    row = row_of(jo.get(PAGE).content.decode(), NG)
    assert row.startswith("Ng ng@acme.example Not ready Last name is missing AWS-Admins , AWS-Devs")


def test_an_assigned_person_who_is_out_of_scope_all_the_same_says_why(company: Tenant, jo: Client) -> None:
    DirectoryUser.objects.filter(object_id=NG).update(properties={"accountEnabled": False})
    assert "Not in scope: Account disabled in Entra" in row_of(jo.get(PAGE).content.decode(), NG)


def test_what_is_deleted_in_entra_is_marked(company: Tenant, jo: Client) -> None:
    DirectoryGroup.objects.filter(object_id=ADMINS).update(deleted="soft")
    assert "AWS-Admins Deleted in Entra" in row_of(jo.get(PAGE).content.decode(), ADMINS)


def test_what_differs_from_the_published_version_is_marked_and_undone(published: Tenant, jo: Client) -> None:
    devs = shown_assignment(published, DEVS)
    assignments.set_send_group(actor=ACTOR, tenant=published, assignment=devs, send_group=False)
    assignments.unassign_objects(actor=ACTOR, tenant=published, keys=[("group", ADMINS)])
    assignments.assign_objects(actor=ACTOR, tenant=published, chosen=[Found("user", MO, "Mo", "", "person")])
    page = jo.get(PAGE).content.decode()
    assert "removed, not published" in row_of(page, ADMINS)
    assert "changed: the group itself is not sent Not in scope" in row_of(page, DEVS)
    assert "new in the draft" in row_of(page, MO)
    for kind, object_id in (("group", ADMINS), ("group", DEVS), ("user", MO)):
        jo.post(f"{PAGE}undo/", {"key": f"assignment:{kind}:{object_id}"})
    assert drafts.changes(published) == []
    assert "Undo" not in jo.get(PAGE).content.decode()


@pytest.mark.parametrize("htmx", [True, False])
def test_nested_and_send_are_set_in_the_draft(published: Tenant, jo: Client, htmx: bool) -> None:
    url = f"{PAGE}group/{DEVS}/change/"
    answer = jo.post(url, {"nested": "1"}, headers=HTMX if htmx else {})
    assert answer.status_code == (200 if htmx else 302)
    jo.post(url, {"send_group": "0"})
    row = shown_assignment(published, DEVS)
    assert (row.nested, row.send_group) == (True, False)
    assert not published.configurations.current().assignments.get(object_id=DEVS).nested
    if htmx:
        assert b"AWS-Devs now includes nested groups." in answer.content
        assert b"<html" not in answer.content
        assert "1 2 1" in row_of(answer.content.decode(), DEVS)


def test_before_a_group_goes_the_page_says_who_leaves_and_who_stays(published: Tenant, jo: Client) -> None:
    assignments.unassign_objects(actor=ACTOR, tenant=published, keys=[("user", NG)])
    url = f"{PAGE}group/{ADMINS}/unassign/"
    page = " ".join(re.sub(r"<[^>]+>", "", jo.get(url).content.decode()).split())
    assert "1 person leaves AWS, 1 stays because of AWS-Devs." in page
    assert "Kavi kavi@acme.example" in page
    assert "ng@acme.example" not in page
    assert drafts.draft_or_current(published).assignments.filter(object_id=ADMINS).exists()
    assert jo.post(url, {"confirmed": "1"})["Location"] == PAGE
    assert not drafts.draft_or_current(published).assignments.filter(object_id=ADMINS).exists()
    assert published.configurations.current().assignments.filter(object_id=ADMINS).exists()


def test_ticked_rows_go_together(published: Tenant, jo: Client) -> None:
    ticked = [f"group:{ADMINS}", f"group:{DEVS}", f"user:{NG}"]
    page = jo.post(f"{PAGE}unassign/", {"ticked": ticked}).content.decode()
    assert "Unassign 3?" in page
    assert "2 people leave AWS" in page
    assert drafts.changes(published) == []
    jo.post(f"{PAGE}unassign/", {"ticked": ticked, "confirmed": "1"})
    assert not drafts.draft_or_current(published).assignments.exists()


def test_no_tick_is_said(company: Tenant, jo: Client) -> None:
    answer = jo.post(f"{PAGE}unassign/", {"ticked": ["nonsense"]}, follow=True)
    assert b"Tick at least one row." in answer.content


def test_many_who_leave_are_paged_by_name(company: Tenant, jo: Client) -> None:
    for n in range(100, 230):
        DirectoryUser.objects.create(tenant=company, object_id=oid(n), display_name=f"Person {n}", in_scope=True)
        DirectoryMembership.objects.create(tenant=company, group_id=ADMINS, member_id=oid(n))
    url = f"{PAGE}group/{ADMINS}/unassign/"
    first, third = jo.get(url).content.decode(), jo.post(url, {"page": "3"}).content.decode()
    assert "131 people leave AWS" in first
    assert "1 to 50 of 131" in first
    assert "101 to 131 of 131" in third
    assert "Person 229" in third
    assert "Person 229" not in first
    short = jo.get(url, headers=HTMX).content.decode()
    assert "See all 131 people" in short
    assert short.count("<li>") == 10
    assert drafts.draft_or_current(company).assignments.filter(object_id=ADMINS).exists()


def test_an_address_names_what_is_assigned_in_the_draft(published: Tenant, jo: Client) -> None:
    assert jo.get(f"{PAGE}group/{oid(99)}/unassign/").status_code == 404
    assignments.set_nested(actor=ACTOR, tenant=published, assignment=shown_assignment(published, DEVS), nested=True)
    assert jo.get(f"{PAGE}group/{DEVS}/unassign/").status_code == 200


def test_a_thousand_groups_are_paged_and_found_and_ask_no_more_queries(company: Tenant, jo: Client) -> None:
    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            jo.get(address)
        return len(captured)

    jo.get(PAGE)
    few = queries(f"{PAGE}?q=aws")
    chosen = [Found("group", oid(n), f"Team {n}", "", "security") for n in range(1000, 2000)]
    DirectoryGroup.objects.bulk_create(
        DirectoryGroup(tenant=company, object_id=one.object_id, display_name=one.name) for one in chosen
    )
    DirectoryMembership.objects.bulk_create(
        DirectoryMembership(tenant=company, group_id=one.object_id, member_id=KAVI) for one in chosen
    )
    assignments.assign_objects(actor=ACTOR, tenant=company, chosen=chosen)
    page = jo.get(PAGE).content.decode()
    assert "Groups (1002)" in page
    assert "1 to 50 of 1002" in page
    assert "Team 1999" in jo.get(f"{PAGE}?page=21").content.decode()
    found = jo.get(f"{PAGE}?q=team+1234").content.decode()
    assert "Team 1234" in found
    assert "1 to 1 of 1" in found
    assert queries(f"{PAGE}?q=team") <= few


def test_a_search_without_hits_is_no_empty_table(company: Tenant, jo: Client) -> None:
    page = jo.get(f"{PAGE}?q=zzz").content.decode()
    assert "No assigned group matches “zzz”." in page
    assert "Clear the search" in page


def test_counts_of_a_large_directory_follow_the_page(company: Tenant, jo: Client) -> None:
    Snapshot.objects.update(memberships=1_000_000)
    first = jo.get(PAGE).content.decode()
    assert 'hx-trigger="load"' in first
    assert "Counting" in row_of(first, ADMINS)
    then = jo.get(f"{PAGE}?counts=1", headers=HTMX).content.decode()
    assert "2 2 1" in row_of(then, ADMINS)
    assert "counts=1" not in then
    # They are kept: the next page has them at once.
    assert "2 2 1" in row_of(jo.get(PAGE).content.decode(), ADMINS)


def test_before_the_first_run_direct_members_are_counted_in_entra(
    company: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Snapshot.objects.all().delete()
    monkeypatch.setattr(live, "live_member_count", lambda _tenant, group_id: 7 if group_id == ADMINS else 3)
    assert "Counting" in row_of(jo.get(PAGE).content.decode(), ADMINS)
    row = row_of(jo.get(f"{PAGE}?counts=1", headers=HTMX).content.decode(), ADMINS)
    assert "7 Unknown Unknown" in row


# Choosing


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch) -> Iterator["Entra"]:
    answers = Entra()
    monkeypatch.setattr(live, "client_of", lambda _tenant, *_: answers)
    return answers


class Entra:
    """What Graph knows; `trouble` is raised instead of any answer."""

    def __init__(self) -> None:
        self.groups: list[dict[str, Any]] = []
        self.users: list[dict[str, Any]] = []
        self.apps: list[dict[str, Any]] = []
        self.trouble: Exception | None = None
        self.asked: list[tuple[Any, ...]] = []

    def _answer(self, *question: Any) -> None:
        self.asked.append(question)
        if self.trouble:
            raise self.trouble

    def search_groups(self, text: str, top: int = 20) -> list[dict[str, Any]]:
        self._answer("search", text)
        return [one for one in self.groups if text.lower() in one["displayName"].lower()]

    def search_users(self, text: str, top: int = 20) -> list[dict[str, Any]]:
        self._answer("search", text)
        return [one for one in self.users if text.lower() in one["displayName"].lower()]

    def having(self, collection: str, name: str, values: list[str], select: Any) -> list[dict[str, Any]]:
        if not values:
            return []
        self._answer(collection, name, len(values))
        wanted = {value.lower() for value in values}
        return [one for one in getattr(self, collection) if str(one.get(name, "")).lower() in wanted]

    def applications(self, text: str, top: int = 20) -> list[dict[str, Any]]:
        self._answer("applications", text)
        return [one for one in self.apps if one["displayName"].lower().startswith(text.lower())]

    def application(self, key: str) -> dict[str, Any]:
        self._answer("application", key)
        return next(one for one in self.apps if one["id"] == key)

    def group(self, key: str, select: Any) -> dict[str, Any]:
        self._answer("group", key)
        return next(one for one in self.groups if one["id"] == key)


def group(n: int, name: str, **facts: Any) -> dict[str, Any]:
    return {"id": oid(n), "displayName": name, "securityEnabled": True, **facts}


def user(n: int, name: str, **facts: Any) -> dict[str, Any]:
    login = f"{name.lower()}@acme.example"
    return {"id": oid(n), "displayName": name, "userPrincipalName": login, "mail": login, **facts}


def test_the_chosen_list_survives_further_searches(tenant: Tenant, jo: Client, entra: Entra) -> None:
    entra.groups, entra.users = [group(50, "AWS-Field")], [user(51, "Dana")]
    first = jo.post(f"{PAGE}assign/", {"q": "aws"}, headers=HTMX).content.decode()
    assert "1 group, 0 people" in first
    second = jo.post(f"{PAGE}assign/", {"q": "dana", "chosen": [f"group:{oid(50)}"]}, headers=HTMX).content.decode()
    assert "Chosen (1)" in second
    assert f'<input type="hidden" name="chosen" value="group:{oid(50)}">' in second
    assert "Dana" in second
    assert not drafts.draft_or_current(tenant).assignments.exists()


def test_groups_that_are_found_say_how_many_members_they_have(company: Tenant, jo: Client, entra: Entra) -> None:
    entra.groups = [group(50, "AWS-New"), group(51, "AWS-Empty"), group(52, "AWS-Unsure")]
    entra.groups += [{"id": ADMINS, "displayName": "AWS-Admins", "securityEnabled": True}]
    DirectoryGroup.objects.create(tenant=company, object_id=oid(51), display_name="AWS-Empty")
    DirectoryGroup.objects.create(tenant=company, object_id=oid(52), display_name="AWS-Unsure", members_unsure=True)
    page = jo.get(f"{PAGE}assign/?q=aws").content.decode()
    found = re.findall(r'<label for="tick-.*?</label>', page, re.S)
    lines = [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]
    assert lines == [
        "AWS-New members not counted yet Security group",
        "AWS-Empty 0 members Security group",
        "AWS-Unsure members not counted yet Security group",
        "AWS-Admins 2 members Security group, already assigned",
    ]
    assert "members as of" in page
    assert [question[0] for question in entra.asked].count("search") == len(entra.asked), "Graph counts nothing"


def test_before_the_first_reading_no_member_is_counted(tenant: Tenant, jo: Client, entra: Entra) -> None:
    entra.groups = [group(50, "AWS-Field")]
    page = jo.get(f"{PAGE}assign/?q=aws").content.decode()
    assert "member" not in re.findall(r'<label for="tick-.*?</label>', page, re.S)[0]


def test_a_search_by_address_works_too(tenant: Tenant, jo: Client, entra: Entra) -> None:
    entra.groups = [group(50, "AWS-Field")]
    assert b"AWS-Field" in jo.get(f"{PAGE}assign/?q=aws").content


def test_no_hit_says_where_was_searched(tenant: Tenant, jo: Client, entra: Entra) -> None:
    page = jo.post(f"{PAGE}assign/", {"q": "awz"}).content.decode()
    assert "No group or person starts with “awz”. We search names, mail and IDs." in " ".join(page.split())


def test_throttling_is_said_and_tried_again_by_itself(tenant: Tenant, jo: Client, entra: Entra) -> None:
    entra.trouble = Throttled("slow", retry_after=5)
    page = jo.post(f"{PAGE}assign/", {"q": "aws"}, headers=HTMX).content.decode()
    assert "Microsoft is slowing us down. Trying again in 5 s." in page
    assert 'hx-trigger="load delay:5s"' in page


@pytest.mark.parametrize("do", ["", "assign"])
def test_no_tick_is_lost_while_entra_does_not_answer(tenant: Tenant, jo: Client, entra: Entra, do: str) -> None:
    entra.trouble = ServerError("down", status=503)
    answer = jo.post(f"{PAGE}assign/", {"q": "aws", "do": do, "chosen": [f"group:{oid(50)}", f"user:{oid(51)}"]})
    page = answer.content.decode()
    assert answer.status_code == (422 if do else 200)
    assert "Cannot read the directory right now." in page
    assert "Chosen (2)" in page
    assert page.count('type="hidden" name="chosen"') == 2
    assert not drafts.draft_or_current(tenant).assignments.exists()


def test_assigning_reads_names_many_at_once(tenant: Tenant, jo: Client, entra: Entra) -> None:
    entra.groups = [group(n, f"Team {n}") for n in range(50, 90)]
    chosen = [f"group:{one['id']}" for one in entra.groups]
    assert jo.post(f"{PAGE}assign/", {"do": "assign", "chosen": chosen})["Location"] == PAGE
    assert drafts.draft_or_current(tenant).assignments.count() == 40
    assert entra.asked == [("groups", "id", 40)]


def test_assigning_nobody_is_refused(tenant: Tenant, jo: Client, entra: Entra) -> None:
    answer = jo.post(f"{PAGE}assign/", {"do": "assign"})
    assert answer.status_code == 422
    assert b"Tick at least one group or person." in answer.content


# Pasting


def paste(client: Client, text: str, do: str = "check", **data: Any) -> Any:
    return client.post(f"{PAGE}paste/", {"pasted": text, "do": do, **data})


def test_a_pasted_list_marks_what_is_unknown_and_what_means_several(company: Tenant, jo: Client, entra: Entra) -> None:
    entra.groups = [group(60, "Twins"), group(61, "Twins"), group(62, "Fresh", mail="fresh@acme.example")]
    text = f"kavi@acme.example\n{MO.upper()}\n\naws-devs\nTwins\nfresh@acme.example\nnobody@acme.example\nKAVI@acme.example"
    page = paste(jo, text).content.decode()
    assert "4 lines found, 1 stands for several, 1 unknown" in page
    assert "<code>nobody@acme.example</code>" in page
    assert page.count('name="picked"') == 2
    assert company.configurations.draft() is not None
    assert paste(jo, text, "assign", picked=[f"group:{oid(61)}"])["Location"] == PAGE
    names = set(drafts.draft_or_current(company).assignments.values_list("object_type", "object_id"))
    assert {("user", KAVI), ("user", MO), ("group", oid(61)), ("group", oid(62))} < names
    assert ("group", oid(60)) not in names


def test_the_mirror_answers_before_graph_is_asked(company: Tenant, jo: Client, entra: Entra) -> None:
    paste(jo, "kavi@acme.example\nAWS-Admins")
    assert entra.asked == []


def test_an_empty_or_too_long_list_is_said_at_the_box(tenant: Tenant, jo: Client, entra: Entra) -> None:
    empty, long = paste(jo, " \n "), paste(jo, "\n".join(f"p{n}" for n in range(5001)))
    assert (empty.status_code, long.status_code) == (422, 422)
    assert b"Paste at least one line." in empty.content
    assert b"These are 5001 lines. Paste up to 5000 at once." in long.content


def test_a_pasted_list_stays_when_graph_slows_down(tenant: Tenant, jo: Client, entra: Entra) -> None:
    entra.trouble = Throttled("slow", retry_after=12)
    answer = paste(jo, "kavi@acme.example", "assign")
    assert answer.status_code == 422
    assert b"Microsoft is slowing us down. Try again in 12 s." in answer.content
    assert b"kavi@acme.example</textarea>" in answer.content


def test_thousands_of_lines_are_looked_up_and_assigned(company: Tenant, jo: Client, entra: Entra) -> None:
    DirectoryUser.objects.bulk_create(
        DirectoryUser(tenant=company, object_id=oid(n), display_name=f"P{n}", user_principal_name=f"p{n}@acme.example")
        for n in range(10_000, 13_000)
    )
    text = "\n".join(f"P{n}@ACME.example" for n in range(10_000, 13_000))
    assert "3000 lines found" in paste(jo, text).content.decode()
    assert "Assign 3000" in paste(jo, text).content.decode()
    paste(jo, text, "assign")
    assert drafts.draft_or_current(company).assignments.count() == 3003
    assert entra.asked == []


# The enterprise application


def test_an_application_is_found_by_name_and_followed_in_the_draft(published: Tenant, jo: Client, entra: Entra) -> None:
    entra.apps = [{"id": oid(70), "displayName": "AWS IAM Identity Center"}]
    page = jo.get(f"{PAGE}application/?q=aws", headers=HTMX).content.decode()
    assert "1 application" in page
    assert f'value="{oid(70)}"' in page
    assert jo.post(f"{PAGE}application/", {"application": oid(70)})["Location"] == PAGE
    assert drafts.draft_or_current(published).mirrored_app == oid(70)
    assert published.configurations.current().mirrored_app == ""
    shown = jo.get(PAGE).content.decode()
    assert "AWS IAM Identity Center" in shown
    assert "changed: another application is followed" in shown
    jo.post(f"{PAGE}undo/", {"key": "setting:mirrored_app"})
    assert drafts.changes(published) == []


def test_without_the_permission_an_application_is_followed_by_its_object_id(
    tenant: Tenant, jo: Client, entra: Entra
) -> None:
    entra.trouble = Forbidden("no", status=403)
    page = jo.get(f"{PAGE}application/?q={oid(70)}").content.decode()
    assert "Application.Read.All" in page
    assert "Follow this ID" in page
    assert jo.post(f"{PAGE}application/", {"application": "not an id"}).status_code == 422


@pytest.fixture
def followed(company: Tenant) -> Tenant:
    set_settings(actor=ACTOR, tenant=company, mirrored_app=oid(70))
    Assignment.objects.create(
        configuration=drafts.draft_or_current(company),
        object_type="group",
        object_id=LEADS,
        display_name="Leads",
        mirrored=True,
    )
    versions.make_version(drafts.draft_or_current(company), actor=ACTOR)
    return company


def test_what_the_application_brings_stands_apart_and_is_not_changed_here(
    followed: Tenant, jo: Client, entra: Entra
) -> None:
    page = jo.get(PAGE).content.decode()
    assert "From the enterprise application (1)" in " ".join(page.split())
    assert f'id="row-{LEADS}"' not in page
    assert "Leads" in page.partition('id="application"')[2]
    assert jo.get(f"{PAGE}group/{LEADS}/unassign/").status_code == 403
    assert jo.post(f"{PAGE}group/{LEADS}/change/", {"nested": "1"}).status_code == 403


def test_stopping_to_follow_is_undone_with_all_it_brought(followed: Tenant, jo: Client, entra: Entra) -> None:
    jo.post(f"{PAGE}application/stop/")
    assert not drafts.draft_or_current(followed).assignments.filter(mirrored=True).exists()
    page = jo.get(PAGE).content.decode()
    assert "changed: no application is followed" in page
    jo.post(f"{PAGE}undo/", {"key": "setting:mirrored_app"})
    assert drafts.draft_or_current(followed).assignments.filter(mirrored=True).count() == 1
    assert drafts.changes(followed) == []


def test_undo_here_reaches_assignments_alone(published: Tenant, jo: Client) -> None:
    set_settings(actor=ACTOR, tenant=published, everybody=True)
    jo.post(f"{PAGE}undo/", {"key": "setting:everybody"})
    assert drafts.draft_or_current(published).everybody


def test_a_viewer_sees_the_tables_without_their_buttons(
    company: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    page = client_of(viewer).get(PAGE).content.decode()
    assert "AWS-Admins" in page
    assert "Unassign" not in page
    assert 'name="ticked"' not in page


def test_the_menu_marks_this_page_for_changes_of_assignments_and_of_the_application(
    published: Tenant, jo: Client, entra: Entra
) -> None:
    assignments.unassign_objects(actor=ACTOR, tenant=published, keys=[("group", ADMINS)])
    set_settings(actor=ACTOR, tenant=published, mirrored_app=oid(70), everybody=True)
    page = jo.get(PAGE).content.decode()
    assert "•2" in page.partition("ls-nav-edited-assignments")[2].partition("</a>")[0]
    assert "•1" in page.partition("ls-nav-edited-scope")[2].partition("</a>")[0]


def test_an_edit_in_place_moves_the_draft_bar_along(published: Tenant, jo: Client) -> None:
    answer = jo.post(f"{PAGE}group/{DEVS}/change/", {"nested": "1"}, headers=HTMX)
    assert "1 change not published" in answer.content.decode()
