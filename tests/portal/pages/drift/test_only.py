"""What only AWS holds: found, linked with whom it may be, or left alone with the reason, which is remembered."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import Role, User
from sync.models import AuditEntry, DirectoryUser, Drift, LeftAlone, Link, Run, Standing, Tenant
from sync.standings import queries
from sync.standings import services as standings
from tests.world.company import hire
from tests.world.lab import Lab
from tests.world.people import person
from tests.world.tenant import assign, sync

PAGE = "/t/acme/drift/only-in-aws/"
ADELE = "aaaaaaaa-1111-4111-8111-111111111111"


def compared(tenant: Tenant, number: int = 1) -> Run:
    now = timezone.now()
    facts = {"kind": "verify", "trigger": "person", "state": "completed", "finished_at": now, "compared_at": now}
    return Run.objects.create(tenant=tenant, number=number, **facts)


def only(run: Run, scim_id: str, name: str, object_type: str = "user", **facts: Any) -> Standing:
    row = {"object_type": object_type, "scim_id": scim_id, "name": name, **facts}
    Drift.objects.create(run=run, tenant=run.tenant, kind="only_in_aws", **row)
    standings.refresh_only_in_aws(run.tenant_id)
    return Standing.objects.get(kind=object_type, scim_id=scim_id)


@pytest.fixture
def stranger(tenant: Tenant) -> Standing:
    """Somebody in AWS who may be Adele, whom AWS does not hold as far as we know."""
    DirectoryUser.objects.create(tenant=tenant, object_id=ADELE, display_name="Adele Vance")
    Link.objects.create(tenant=tenant, object_type="user", object_id=ADELE)
    facts = {"userName": "avance@acme.example", "emails": [{"value": "Adele.Vance@acme.example"}]}
    return only(compared(tenant), "u9", "A. Vance", facts=facts, proposed_id=ADELE, proposed_by="emails")


def shown(client: Client, **query: str) -> list[str]:
    context = client.get(PAGE, query).context
    return [one.standing.name for one in context["objects"]] or [one.name for one in context["left"]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "found"),
    [("vance", True), ("AVANCE@", True), ("adele.vance@acme", True), ("u9", True), ("dele", False), ("zz", False)],
)
def test_objects_are_found_by_name_user_name_address_and_id(
    stranger: Standing, jo: Client, text: str, found: bool
) -> None:
    assert shown(jo, q=text) == (["A. Vance"] if found else [])


@pytest.mark.django_db
def test_people_and_groups_are_told_apart_and_listed_page_by_page(tenant: Tenant, jo: Client) -> None:
    run = compared(tenant)
    for number in range(52):
        only(run, f"u{number}", f"Person {number:02}")
    only(run, "g1", "Hand-made group", "group")
    assert shown(jo, kind="group") == ["Hand-made group"]
    assert len(shown(jo, kind="user")) == 50
    assert shown(jo, kind="user", page="2") == ["Person 50", "Person 51"]


@pytest.mark.django_db
def test_the_proposed_match_leads_to_the_person_and_is_linked_by_one_press(stranger: Standing, jo: Client) -> None:
    page = jo.get(PAGE).content.decode()
    assert f'href="/t/acme/people/{ADELE}/"' in page
    assert "Adele Vance" in page
    jo.post(f"{PAGE}{stranger.pk}/link/")
    assert Link.objects.get().adopt_scim_id == "u9"
    assert AuditEntry.objects.filter(verb="link.adopt").count() == 1
    page = jo.get(PAGE).content.decode()
    assert "Linked by the next sync" in page
    assert f"{stranger.pk}/link/" not in page


@pytest.mark.django_db
def test_what_is_linked_meanwhile_is_not_linked_again(stranger: Standing, jo: Client) -> None:
    Link.objects.update(scim_id="u1")
    page = jo.post(f"{PAGE}{stranger.pk}/link/", follow=True).content.decode()
    assert "Nothing was linked" in page
    assert Link.objects.get().adopt_scim_id == ""


@pytest.mark.django_db
def test_leaving_alone_asks_why_and_remembers_who_said_so(tenant: Tenant, stranger: Standing, jo: Client) -> None:
    answer = jo.post(f"{PAGE}{stranger.pk}/leave/", {"reason": " "})
    assert "There is a problem" in answer.content.decode()
    assert LeftAlone.objects.count() == 0
    jo.post(f"{PAGE}{stranger.pk}/leave/", {"reason": "Break-glass account, ticket 812"})
    assert (shown(jo), queries.counts(tenant)["only_in_aws"], queries.differences(tenant)) == ([], 0, [])
    page = jo.get(PAGE, {"alone": "1"}).content.decode()
    for words in ("A. Vance", "Break-glass account, ticket 812", "jo@acme.example"):
        assert words in page
    assert shown(jo, alone="1", q="ticket 812") == ["A. Vance"]
    entry = AuditEntry.objects.get(verb="drift.leave_alone")
    assert (entry.actor, entry.after["reason"]) == ("jo@acme.example", "Break-glass account, ticket 812")


@pytest.mark.django_db
def test_what_was_left_alone_can_be_decided_again(tenant: Tenant, stranger: Standing, jo: Client) -> None:
    jo.post(f"{PAGE}{stranger.pk}/leave/", {"reason": "Not now"})
    jo.post(f"{PAGE}{LeftAlone.objects.get().pk}/undo/")
    assert (shown(jo), LeftAlone.objects.count(), queries.counts(tenant)["only_in_aws"]) == (["A. Vance"], 0, 1)
    assert AuditEntry.objects.filter(verb="drift.stop_leaving_alone").exists()


@pytest.mark.django_db
def test_whoever_may_not_approve_reads_and_decides_nothing(
    stranger: Standing, client_of: Callable[[User], Client]
) -> None:
    client = client_of(person("vi@acme.example", Role.VIEWER))
    page = client.get(PAGE).content.decode()
    assert "A. Vance" in page
    assert "Leave alone" not in page
    assert client.get(f"{PAGE}{stranger.pk}/leave/").status_code == 403
    for what in ("link", "leave"):
        assert client.post(f"{PAGE}{stranger.pk}/{what}/").status_code == 403


@pytest.mark.django_db
def test_before_any_comparison_nothing_is_claimed(tenant: Tenant, jo: Client) -> None:
    assert "Nothing has been compared yet" in jo.get(PAGE).content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.company(6, groups=1, memberships=2)
@pytest.mark.parametrize("kind", ["users", "groups"])
def test_later_comparisons_and_runs_keep_to_it(wired: Tenant, lab: Lab, jo: Client, kind: str) -> None:
    names = {"displayName": "Root", "name": {"givenName": "Ro", "familyName": "Ot"}, "userName": "root@acme.example"}
    made = lab.call("POST", f"aws/{kind}", names if kind == "users" else {"displayName": "Root"})
    sync(wired, Run.Kind.FULL)
    jo.post(f"{PAGE}{Standing.objects.get(scim_id=made['id']).pk}/leave/", {"reason": "Ours by hand"})
    sync(wired, Run.Kind.FULL)
    assert queries.counts(wired)["only_in_aws"] == 0
    assert LeftAlone.objects.get().reason == "Ours by hand"


@pytest.mark.django_db(transaction=True)
@pytest.mark.company(6, groups=1, memberships=2)
def test_no_rule_links_what_was_left_alone(wired: Tenant, lab: Lab, jo: Client) -> None:
    ann = hire(lab, "Ann Alone")
    names = {
        "displayName": "Ann",
        "name": {"givenName": "Ann", "familyName": "A"},
        "userName": ann["userPrincipalName"],
    }
    made = lab.call("POST", "aws/users", names)
    sync(wired, Run.Kind.FULL)
    jo.post(f"{PAGE}{Standing.objects.get(scim_id=made['id']).pk}/leave/", {"reason": "Another Ann"})
    Tenant.objects.update(adoption="match")
    assign(wired, ann)
    sync(wired)
    stopped = Standing.objects.get(object_id=ann["id"])
    assert (stopped.word, stopped.code, stopped.holder_id) == ("conflict", "left-alone", made["id"])
    assert Link.objects.get(object_id=ann["id"]).scim_id == ""
