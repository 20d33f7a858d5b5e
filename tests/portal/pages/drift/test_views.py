"""Comparing with AWS as a page: what it shows, who may press what, and what repairing says."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import User
from sync.models import AuditEntry, DirectoryUser, Drift, Link, Run, Tenant
from sync.runs import lease
from sync.standings.services import refresh_all, refresh_only_in_aws
from tests.world.mirrored import found, held, linked, mirrored_group, mirrored_person
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db
PAGE = "/t/acme/drift/"


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    keys: list[int] = []
    monkeypatch.setattr("sync.queue.send", lambda _task, key: keys.append(key))
    return keys


@pytest.fixture
def connected(tenant: Tenant) -> Tenant:
    tenant.aws.endpoint, tenant.aws.sealed_token = "https://scim.example/", "sealed"
    tenant.aws.save()
    return tenant


def compared(tenant: Tenant, number: int = 1, **facts: Any) -> Run:
    now = timezone.now()
    values = {"kind": "verify", "trigger": "person", "state": "completed", "started_at": now, "finished_at": now}
    if facts.get("state", "completed") == "completed":
        values["compared_at"] = now
    return Run.objects.create(tenant=tenant, number=number, **values | facts)


def differing(tenant: Tenant, run: Run) -> Link:
    link = linked(mirrored_person(tenant, "Adele"), written={"title": "Clerk", "active": True})
    found(run, "differs", link, name="Adele", facts={"title": {"written": "Clerk", "held": "Chief"}})
    refresh_all(tenant)
    return link


def test_nothing_compared_yet_is_said(tenant: Tenant, jo: Client) -> None:
    assert "Nothing has been compared yet" in jo.get(PAGE).content.decode()


def test_differences_are_shown_by_kind_with_both_values(connected: Tenant, jo: Client) -> None:
    differing(connected, compared(connected))
    page = jo.get(PAGE).content.decode()
    assert "1 differs" in page
    assert re.search(r"<del><bdi [^>]*>Chief</bdi></del>", page)
    assert re.search(r"<ins><bdi [^>]*>Clerk</bdi></ins>", page)


def test_no_difference_is_said(connected: Tenant, jo: Client) -> None:
    compared(connected)
    page = jo.get(PAGE).content.decode()
    assert "Nothing differs" in page
    assert "/drift/repair/" not in page


def test_what_was_written_anew_since_differs_no_more(connected: Tenant, jo: Client) -> None:
    link = differing(connected, compared(connected))
    Link.objects.filter(pk=link.pk).update(written_at=timezone.now())
    refresh_all(connected)
    page = jo.get(PAGE).content.decode()
    assert "Nothing differs" in page
    assert "Chief" not in page


def test_whoever_is_gone_is_listed_also_when_no_comparison_found_it(connected: Tenant, jo: Client) -> None:
    run = compared(connected)
    found(run, "missing", linked(mirrored_group(connected, "Admins")))
    linked(mirrored_person(connected, "Adele"), "", match_code="not-found-link")
    refresh_all(connected)
    context = jo.get(PAGE).context
    assert ([one.name for one in context["gone"]["rows"]], context["numbers"]["gone"]) == (["Adele", "Admins"], 2)


def test_whoever_is_held_and_differs_too_is_counted_apart(connected: Tenant, jo: Client) -> None:
    link = differing(connected, compared(connected))
    held(DirectoryUser.objects.get(object_id=link.object_id))
    refresh_all(connected)
    context = jo.get(PAGE).context
    assert (context["differ"], context["besides"]) == (0, 1)
    assert [section["count"] for section in context["sections"]] == [1]


def test_more_than_a_page_of_one_kind_is_read_page_by_page(connected: Tenant, jo: Client) -> None:
    run = compared(connected)
    for number in range(52):
        link = linked(mirrored_person(connected, f"Person {number:02}"))
        found(run, "differs", link, name=f"Person {number:02}", facts={"title": {"written": "a", "held": "b"}})
    for number in range(51):
        found(run, "missing", linked(mirrored_person(connected, f"Gone {number:02}")))
    refresh_all(connected)

    def named(query: str) -> list[str]:
        return re.findall(r">((?:Person|Gone) \d\d)</bdi></a></th>", jo.get(f"{PAGE}{query}").content.decode())

    assert len(named("")) == 100
    assert named("?differs=2")[-2:] == ["Person 50", "Person 51"]
    assert "Gone 50" in named("?gone=2")
    assert "?gone=2&amp;differs=2#title-differs" in jo.get(f"{PAGE}?gone=2").content.decode()


def test_what_only_aws_holds_is_counted_and_decided_on_a_page_of_its_own(connected: Tenant, jo: Client) -> None:
    run = compared(connected)
    for name, facts in (("Hand Made", {}), ("AWSControlTower", {"left_alone": True})):
        row = {"object_type": "user", "scim_id": name, "name": name, "facts": facts}
        Drift.objects.create(run=run, tenant=connected, kind="only_in_aws", **row)
    refresh_only_in_aws(connected.pk)
    answer = jo.get(PAGE)
    assert (answer.context["numbers"]["only_in_aws"], answer.context["left_count"]) == (1, 1)
    assert "/drift/only-in-aws/" in answer.content.decode()


def test_a_failed_comparison_is_said_and_the_one_before_stays(connected: Tenant, jo: Client) -> None:
    differing(connected, compared(connected))
    compared(connected, 2, state="failed", problem="aws-list-incomplete")
    page = jo.get(PAGE).content.decode()
    assert "AWS did not list everybody" in page
    assert "1 differs" in page


@pytest.mark.usefixtures("transactional_db")
def test_comparing_asks_for_one_run_even_while_provisioning_is_off(
    connected: Tenant, jo: Client, sent: list[int]
) -> None:
    for _ in range(2):
        assert jo.post(f"{PAGE}compare/")["Location"] == PAGE
    run = Run.objects.get()
    assert (run.kind, sent) == ("verify", [run.pk])
    assert "Comparing now" in jo.get(PAGE).content.decode()


def test_comparing_waits_for_another_run(connected: Tenant, jo: Client) -> None:
    compared(connected, 7, kind="full", state="running")
    page = jo.post(f"{PAGE}compare/", follow=True).content.decode()
    assert "Run 7 is in progress, so nothing was compared" in page


def test_repairing_asks_first_then_marks_and_starts_a_sync(connected: Tenant, jo: Client) -> None:
    link = differing(connected, compared(connected))
    Tenant.objects.update(enabled=True, last_run_number=1)
    assert "1 difference is written over" in jo.get(f"{PAGE}repair/").content.decode()
    assert jo.post(f"{PAGE}repair/")["Location"] == "/t/acme/runs/2/"
    link.refresh_from_db()
    assert link.written == {"title": None, "active": True}
    assert AuditEntry.objects.filter(verb="drift.repair").exists()


def two_differing(tenant: Tenant) -> tuple[Run, Link, Link]:
    run = compared(tenant)
    first, second = (linked(mirrored_person(tenant, name), written={"title": "Clerk"}) for name in ("Adele", "Bo"))
    for link, name in ((first, "Adele"), (second, "Bo")):
        found(run, "differs", link, name=name, facts={"title": {"written": "Clerk", "held": "Chief"}})
    refresh_all(tenant)
    return run, first, second


def marked(*links: Link) -> list[bool]:
    """Whether the next run writes the title anew."""
    return [Link.objects.get(pk=link.pk).written["title"] is None for link in links]


def test_one_is_repaired_by_its_row_and_the_others_stay(connected: Tenant, jo: Client) -> None:
    _run, adele, bo = two_differing(connected)
    row = Drift.objects.get(link=adele)
    page = jo.get(PAGE).content.decode()
    assert f"/drift/repair/?row={row.pk}" in page
    asked = jo.get(f"{PAGE}repair/?row={row.pk}").content.decode()
    assert "Adele" in asked
    assert "Bo</bdi>" not in asked
    assert "1 difference is written over" in asked
    jo.post(f"{PAGE}repair/", {"row": row.pk})
    assert marked(adele, bo) == [True, False]
    assert "1 differs" in jo.get(PAGE).content.decode()
    entry = AuditEntry.objects.get(verb="drift.repair")
    assert (entry.after["entra_ids"], entry.after["differences"]) == ([adele.object_id], 1)


def test_those_that_are_ticked_are_repaired(connected: Tenant, jo: Client) -> None:
    run, adele, bo = two_differing(connected)
    gone = linked(mirrored_person(connected, "Cy"))
    found(run, "missing", gone, name="Cy")
    refresh_all(connected)
    ticked = {"some": "1", "row": [Drift.objects.get(link=bo).pk], "object": [gone.object_id]}
    asked = jo.get(f"{PAGE}repair/", ticked).content.decode()
    assert "2 differences are written over" in asked
    jo.post(f"{PAGE}repair/", {"row": ticked["row"], "object": ticked["object"]})
    assert marked(adele, bo) == [False, True]
    assert Link.objects.get(pk=gone.pk).scim_id == ""
    assert "Made anew by the next sync" in jo.get(PAGE).content.decode()


def test_ticking_nothing_repairs_nothing(connected: Tenant, jo: Client) -> None:
    _run, adele, bo = two_differing(connected)
    for answer in (
        jo.get(f"{PAGE}repair/?some=1", follow=True),
        jo.post(f"{PAGE}repair/?some=1", {"some": "1"}, follow=True),
    ):
        assert "Tick at least one row" in answer.content.decode()
    assert marked(adele, bo) == [False, False]


@pytest.mark.parametrize("row", ["9999999", "x", "-1"])
def test_a_row_that_is_no_difference_repairs_nothing(connected: Tenant, jo: Client, row: str) -> None:
    _run, adele, bo = two_differing(connected)
    jo.post(f"{PAGE}repair/", {"some": "1", "row": row})
    assert marked(adele, bo) == [False, False]


def test_a_difference_of_another_tenant_is_not_repaired_from_here(connected: Tenant, jo: Client) -> None:
    compared(connected)
    _run, adele, _bo = two_differing(Tenant.objects.create(slug="other", name="Other"))
    jo.post(f"{PAGE}repair/", {"row": Drift.objects.get(link=adele).pk, "object": adele.object_id})
    assert marked(adele) == [False]


def test_what_was_read_back_since_is_repaired_too(connected: Tenant, jo: Client) -> None:
    compared(connected)
    link = linked(mirrored_person(connected, "Adele"), written={"title": "Clerk"})
    demand = new_run(connected, 2, kind="demand", started_at=timezone.now(), finished_at=timezone.now())
    found(demand, "differs", link, name="Adele", facts={"title": {"written": "Clerk", "held": "Chief"}})
    refresh_all(connected)
    assert "1 differs" in jo.get(PAGE).content.decode()
    jo.post(f"{PAGE}repair/", {"row": Drift.objects.get().pk})
    assert marked(link) == [True]


def test_a_member_whom_nobody_linked_can_not_be_ticked(connected: Tenant, jo: Client) -> None:
    group = linked(mirrored_group(connected, "Admins"))
    found(compared(connected), "member_extra", group, name="Admins", member_scim_id="aws-stranger")
    refresh_all(connected)
    page = jo.get(PAGE).content.decode()
    assert "Nobody linked" in page
    assert 'name="row"' not in page
    assert f'id="leave-{Drift.objects.get().pk}"' in page, "one by one, or all from the group's page"


@pytest.mark.parametrize("facts", [{"suspect": "aws-members-unsure"}, {}])
def test_nothing_can_be_ticked_in_doubt_or_while_comparing(
    connected: Tenant, jo: Client, facts: dict[str, str]
) -> None:
    differing(connected, compared(connected, **facts))
    if not facts:
        compared(connected, 2, state="running")
    page = jo.get(PAGE).content.decode()
    assert "1 differs" in page
    assert 'name="row"' not in page


def test_what_is_ours_and_not_linked_any_more_says_whose_it_is(connected: Tenant, jo: Client) -> None:
    adele = mirrored_person(connected, "Adele")
    linked(adele, "")
    row = {"object_type": "user", "scim_id": "aws-9", "name": "Adele", "facts": {"userName": "adele"}}
    match = {"proposed_id": adele.object_id, "proposed_by": "id"}
    Drift.objects.create(run=compared(connected), tenant=connected, kind="only_in_aws", **row | match)
    page = jo.get(PAGE).content.decode()
    assert "Ours, and no longer linked" in page
    assert f'href="/t/acme/people/{adele.object_id}/"' in page
    assert "<del>" not in page
    jo.post(f"{PAGE}repair/", {"row": Drift.objects.get().pk})
    assert Link.objects.get().scim_id == "aws-9"


def test_the_page_of_a_person_offers_the_repair_of_that_person_alone(
    connected: Tenant, jo: Client, viewer: User, client_of: Callable[[User], Client]
) -> None:
    _run, adele, bo = two_differing(connected)
    address = f"{PAGE}repair/?object={adele.object_id}"
    assert address in jo.get(f"/t/acme/people/{adele.object_id}/").content.decode()
    assert address not in client_of(viewer).get(f"/t/acme/people/{adele.object_id}/").content.decode()
    assert "1 difference is written over" in jo.get(address).content.decode()
    jo.post(f"{PAGE}repair/", {"object": adele.object_id})
    assert marked(adele, bo) == [True, False]
    assert "Nothing of it differs any more" in jo.get(address).content.decode()


def test_repairing_while_provisioning_is_off_waits(connected: Tenant, jo: Client) -> None:
    differing(connected, compared(connected))
    page = jo.post(f"{PAGE}repair/", follow=True).content.decode()
    assert "1 difference is written anew by the next sync" in page
    assert Run.objects.count() == 1
    new_run(connected, 2, kind="changes", started_at=timezone.now(), finished_at=timezone.now())
    assert "by the next sync" not in jo.get(PAGE).content.decode(), "that one is over"


@pytest.mark.parametrize(
    ("facts", "words"),
    [({"suspect": "aws-members-unsure"}, "not beyond doubt"), ({"state": "failed"}, "there is no comparison yet")],
)
def test_what_cannot_be_repaired_is_said(connected: Tenant, jo: Client, facts: dict[str, str], words: str) -> None:
    link = differing(connected, compared(connected, **facts))
    assert words in jo.post(f"{PAGE}repair/", follow=True).content.decode()
    link.refresh_from_db()
    assert link.written["title"] == "Clerk"


def test_nothing_is_repaired_while_a_run_is_in_progress(connected: Tenant, jo: Client) -> None:
    differing(connected, compared(connected))
    assert lease.claim(connected.pk) is not None
    assert "a run is in progress" in jo.post(f"{PAGE}repair/", follow=True).content.decode()


def test_a_viewer_sees_it_and_may_press_nothing(
    connected: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    differing(connected, compared(connected))
    tom = client_of(viewer)
    page = tom.get(PAGE).content.decode()
    assert "1 differs" in page
    assert "Compare now" not in page
    for path in ("compare/", "repair/"):
        assert tom.post(f"{PAGE}{path}").status_code == 403
