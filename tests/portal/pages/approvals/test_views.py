"""Approvals as pages: who may decide, what a decision covers, what it asks for."""

import csv
import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import Role, User
from sync.configuration.current import configuration_of
from sync.configuration.editing import matching_changed
from sync.configuration.filters import save_filter
from sync.models import (
    AuditEntry,
    DirectoryUser,
    HeldChange,
    Hold,
    Link,
    Operation,
    Run,
    Snapshot,
    Tenant,
)
from tests.world.mirrored import linked, member_of, mirrored_group
from tests.world.people import person
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Runs that went to the broker."""
    ids: list[int] = []
    monkeypatch.setattr("sync.queue.send", lambda _task, key: ids.append(key))
    return ids


@pytest.fixture
def on(tenant: Tenant) -> Tenant:
    now = timezone.now()
    Tenant.objects.update(enabled=True, enabled_changed_at=now, last_run_number=1)
    for half in (tenant.entra, tenant.aws):
        half.changed_at = half.tested_at = now
        half.test_passed = True
        half.save()
    tenant.refresh_from_db()
    return tenant


@pytest.fixture
def run(on: Tenant) -> Run:
    now = timezone.now()
    return Run.objects.create(
        tenant=on, number=1, kind="changes", trigger="schedule", state="completed", started_at=now, finished_at=now
    )


@pytest.fixture
def approver(on: Tenant, client_of: Callable[[User], Client]) -> Client:
    return client_of(person("ann@acme.example", Role.APPROVER, on))


def hold_of(run: Run, count: int, kind: str = "people") -> Hold:
    hold = Hold.objects.create(tenant=run.tenant, kind=kind, run=run, facts={"limit": 3, "planned": count})
    HeldChange.objects.bulk_create(
        HeldChange(
            hold=hold, tenant=run.tenant, action="create" if kind == "creates" else "disable", object_type="user",
            object_id=f"{n:036d}", display_name=f"Leaver {n:04d}", detail_name=f"leaver{n}@acme.example",
            cause="not-assigned" if n % 3 else "deleted",
        )
        for n in range(count)
    )  # fmt: skip
    return hold


def post(client: Client, hold: Hold, **data: Any) -> Any:
    """As the page sends it: every row shown, ticked unless `untick` names its index."""
    rows = list(hold.changes.order_by("pk").values_list("pk", flat=True))
    untick = {rows[n] for n in data.pop("untick", ())}
    form = {"shown": rows, "ticked": [pk for pk in rows if pk not in untick], "upto": rows[-1], "do": "approve"}
    return client.post(f"/t/acme/approvals/{hold.pk}/", {**form, **data})


def decisions(hold: Hold) -> list[str]:
    return list(hold.changes.order_by("pk").values_list("decision", flat=True))


def test_names_stand_under_their_cause_with_the_limit(run: Run, approver: Client) -> None:
    hold = hold_of(run, 5)
    page = approver.get(f"/t/acme/approvals/{hold.pk}/").content.decode()
    for words in ("5 removals are held", "your limit is 3", "Not assigned", "Deleted in Entra", "leaver4@acme.example"):
        assert words in page
    assert "5 removals are held" in approver.get("/t/acme/approvals/").content.decode()


def in_aws(hold: Hold, n: int, *groups: str, **facts: Any) -> None:
    """Puts the n-th person of a hold into AWS, with these groups."""
    change = hold.changes.order_by("pk")[n]
    person = Link.objects.create(
        tenant=hold.tenant, object_type="user", object_id=change.object_id, scim_id=f"u{n}", **facts
    )
    for name in groups:
        member_of(linked(mirrored_group(hold.tenant, name)), person)


MARCH = datetime.datetime(2026, 3, 3, 12, tzinfo=datetime.UTC)


def test_a_removal_says_through_which_groups_and_since_when_the_person_is_in_aws(run: Run, approver: Client) -> None:
    hold = hold_of(run, 3)
    in_aws(hold, 0, "AWS-Prod", "AWS-Data", linked_at=MARCH)
    in_aws(hold, 1, linked_at=MARCH, origin="rule")
    rows = re.findall(r'<tr id="change-.*?</tr>', approver.get(f"/t/acme/approvals/{hold.pk}/").content.decode(), re.S)
    first, second, third = sorted(re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", row)) for row in rows)
    assert "AWS-Data AWS-Prod 3 Mar 2026" in first
    assert "earlier" not in first
    assert "no group 3 Mar 2026 or earlier: it was linked then" in second
    assert "2026" not in third


def test_where_nobody_loses_access_nothing_is_said_of_it(run: Run, approver: Client) -> None:
    hold = hold_of(run, 2, "creates")
    assert "In AWS through" not in approver.get(f"/t/acme/approvals/{hold.pk}/").content.decode()


def csv_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))


def test_all_of_a_hold_is_a_file_with_groups_and_decisions(run: Run, approver: Client) -> None:
    hold = hold_of(run, 120)
    in_aws(hold, 0, "AWS-Prod", "AWS-Data", linked_at=MARCH)
    hold.changes.filter(display_name="Leaver 0001").update(
        decision="kept", decided_by="ann@acme.example", decided_at=MARCH, comment="On call"
    )
    address = f"/t/acme/approvals/{hold.pk}/export/"
    assert address in approver.get(f"/t/acme/approvals/{hold.pk}/").content.decode()
    rows = csv_of(approver.get(address))
    by_name = {row["name"]: row for row in rows}
    assert len(rows) == len(by_name) == 120
    first, second = by_name["Leaver 0000"], by_name["Leaver 0001"]
    assert (first["in_aws_through"], first["in_aws_since"][:10]) == ("AWS-Data; AWS-Prod", "2026-03-03")
    assert (first["action"], first["cause"], first["decision"]) == ("disable", "deleted", "waiting")
    assert (second["decision"], second["decided_by"], second["comment"]) == ("kept", "ann@acme.example", "On call")
    entry = AuditEntry.objects.get(verb="hold.export")
    assert (entry.actor, entry.after) == ("ann@acme.example", {"kind": "people", "run": 1})


def test_a_file_holds_what_the_search_found(run: Run, approver: Client) -> None:
    hold = hold_of(run, 12)
    rows = csv_of(approver.get(f"/t/acme/approvals/{hold.pk}/export/?q=0011"))
    assert [row["name"] for row in rows] == ["Leaver 0011"]


def test_a_hold_of_another_tenant_is_no_file_of_this_one(run: Run, approver: Client) -> None:
    other = Tenant.objects.create(slug="other", name="Other")
    hold = hold_of(new_run(other, 1), 1)
    assert approver.get(f"/t/acme/approvals/{hold.pk}/export/").status_code == 404


@pytest.mark.parametrize("column", ["display_name", "detail_name"])
def test_a_name_cannot_read_as_somebody_elses(run: Run, approver: Client, column: str) -> None:
    """Invisible letters and such that turn the direction round (UAX #9) are marked where a person decides."""
    hold = hold_of(run, 1)
    hold.changes.update(**{column: "Ann\u202egnp.exe\u200b"})
    page = approver.get(f"/t/acme/approvals/{hold.pk}/").content.decode()
    assert "RIGHT-TO-LEFT OVERRIDE" in page
    assert "ZERO WIDTH SPACE" in page
    assert ">Ann\u202e" not in page


@pytest.mark.parametrize(
    ("titles", "heading"),
    [(["Engineers"], "Outside scope: Engineers"), (["Engineers", "R&D"], "Outside scope: Engineers, R&amp;D")],
)
def test_whoever_no_filter_lets_pass_stands_under_its_title(
    run: Run, approver: Client, titles: list[str], heading: str
) -> None:
    clause = {"attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": False}
    for title in titles:
        save_filter(actor="jo", tenant=run.tenant, object_type="user", title=title, clauses=[clause])
    hold = hold_of(run, 4)
    hold.changes.filter(cause="not-assigned").update(cause="outside-filter")
    page = approver.get(f"/t/acme/approvals/{hold.pk}/").content.decode()
    assert f">{heading}</h2>" in page
    assert ">Deleted in Entra</h2>" in page


def test_removals_ask_for_the_tenants_name_and_keep_the_ticks(run: Run, approver: Client) -> None:
    hold = hold_of(run, 4)
    answer = post(approver, hold, confirm="something else", untick=[1])
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert page.count("checked") == 3
    assert decisions(hold) == ["waiting"] * 4


@pytest.mark.usefixtures("transactional_db")
def test_the_unticked_are_kept_the_rest_is_approved_and_the_sync_starts(
    run: Run, approver: Client, sent: list[int]
) -> None:
    hold = hold_of(run, 4)
    answer = post(approver, hold, confirm=" ACME ", untick=[1, 2], comment="Reorg, two on call stay")
    assert answer["Location"] == "/t/acme/runs/2/"
    assert decisions(hold) == ["approved", "kept", "kept", "approved"]
    assert [Run.objects.get(pk=pk).trigger for pk in sent] == ["approval"]
    entry = AuditEntry.objects.get(verb="hold.decide")
    assert entry.actor == "ann@acme.example"
    assert entry.after is not None
    assert entry.after["comment"] == "Reorg, two on call stay"
    assert len(entry.after["approved"]) == 2


@pytest.mark.parametrize("data", [{"do": "keep", "untick": [0]}, {"do": "", "keep_one": "first"}])
def test_keeping_needs_no_typing_and_starts_nothing(run: Run, approver: Client, data: dict[str, Any]) -> None:
    hold = hold_of(run, 3)
    if "keep_one" in data:
        data = data | {"keep_one": hold.changes.order_by("pk")[0].pk}
    assert post(approver, hold, **data)["Location"] == f"/t/acme/approvals/{hold.pk}/"
    assert decisions(hold) == ["kept", "waiting", "waiting"]
    assert Run.objects.count() == 1


def test_all_can_be_kept_at_once(run: Run, approver: Client) -> None:
    hold = hold_of(run, 3)
    post(approver, hold, do="keep_all")
    assert decisions(hold) == ["kept"] * 3


def test_who_was_kept_can_be_ticked_again(run: Run, approver: Client) -> None:
    hold = hold_of(run, 2)
    post(approver, hold, do="keep_all")
    post(approver, hold, confirm="acme", untick=[1])
    assert decisions(hold) == ["approved", "kept"]


def test_a_keep_is_taken_back_and_waits_again(run: Run, approver: Client, sent: list[int]) -> None:
    hold = hold_of(run, 2)
    post(approver, hold, do="keep_all")
    page = approver.get(f"/t/acme/approvals/{hold.pk}/").content.decode()
    assert page.count("Undo keep") == 2
    first = hold.changes.order_by("pk")[0]
    answer = post(approver, hold, do="", undo_one=first.pk)
    assert answer["Location"] == f"/t/acme/approvals/{hold.pk}/"
    assert decisions(hold) == ["waiting", "kept"]
    first.refresh_from_db()
    assert (first.decided_by, first.decided_at) == ("", None)
    assert AuditEntry.objects.get(verb="hold.undo_keep").actor == "ann@acme.example"
    assert sent == []
    again = approver.post(f"/t/acme/approvals/{hold.pk}/", {"undo_one": first.pk}, follow=True).content.decode()
    assert "It is not kept any more." in again


def test_enter_in_a_tick_box_decides_nothing(run: Run, approver: Client) -> None:
    hold = hold_of(run, 3, "creates")
    answer = post(approver, hold, do="", untick=[1])
    assert (answer.status_code, answer.content.decode().count("checked")) == (200, 2)
    assert decisions(hold) == ["waiting"] * 3


def test_creations_need_no_typing(run: Run, approver: Client) -> None:
    hold = hold_of(run, 3, "creates")
    assert "to confirm" not in approver.get(f"/t/acme/approvals/{hold.pk}/").content.decode()
    assert post(approver, hold).status_code == 302
    assert decisions(hold) == ["approved"] * 3


def test_two_thousand_names_are_paged_and_approved_together(run: Run, approver: Client) -> None:
    hold = hold_of(run, 2000)
    page = approver.get(f"/t/acme/approvals/{hold.pk}/")
    assert len(page.context["shown"]) == 50
    assert page.context["lose"] == 2000
    shown = page.context["shown"]
    form = {"shown": shown, "ticked": shown[1:], "upto": page.context["upto"], "do": "approve", "confirm": "acme"}
    assert approver.post(f"/t/acme/approvals/{hold.pk}/?from=0", form).status_code == 302
    assert (hold.changes.approved().count(), hold.changes.kept().count()) == (1999, 1)


def test_a_name_is_found_among_many(run: Run, approver: Client) -> None:
    hold = hold_of(run, 300)
    page = approver.get(f"/t/acme/approvals/{hold.pk}/?q=leaver299@")
    assert [row.name for cause in page.context["causes"] for row in cause.rows] == ["Leaver 0299"]
    assert page.context["lose"] == 300


def test_who_came_after_the_page_was_drawn_is_not_approved_unseen(run: Run, approver: Client) -> None:
    hold = hold_of(run, 2)
    seen = [change.pk for change in hold.changes.order_by("pk")]
    HeldChange.objects.create(hold=hold, tenant=run.tenant, action="disable", object_type="user", object_id="z" * 36)
    post(approver, hold, shown=seen, ticked=seen, upto=seen[-1], confirm="acme")
    assert decisions(hold) == ["approved", "approved", "waiting"]


def test_others_see_it_and_why_they_cannot_decide(run: Run, viewer: User, client_of: Callable[[User], Client]) -> None:
    hold, client = hold_of(run, 2), client_of(viewer)
    page = client.get(f"/t/acme/approvals/{hold.pk}/").content.decode()
    assert "Deciding needs the Approver role." in page
    assert 'name="ticked"' not in page
    assert post(client, hold, confirm="acme").status_code == 403
    assert decisions(hold) == ["waiting"] * 2


def test_nothing_is_approved_while_provisioning_is_off(run: Run, approver: Client) -> None:
    hold = hold_of(run, 2)
    Tenant.objects.update(enabled=False)
    post(approver, hold, confirm="acme")
    assert decisions(hold) == ["waiting"] * 2


def test_the_menu_counts_what_waits(run: Run, approver: Client) -> None:
    assert "ls-nav-count" not in approver.get("/t/acme/approvals/").content.decode()
    hold_of(run, 5)
    Link.objects.create(tenant=run.tenant, object_type="user", object_id="d" * 36, match_code="exists-unlinked")
    page = approver.get("/t/acme/approvals/").content.decode()
    assert 'ls-nav-count">2<' in page


def test_proposals_are_linked_by_tick_and_the_sync_starts(run: Run, approver: Client) -> None:
    DirectoryUser.objects.create(tenant=run.tenant, object_id="d" * 36, display_name="Dora")
    link = Link.objects.create(
        tenant=run.tenant, object_type="user", object_id="d" * 36, match_code="exists-unlinked",
        match_attribute="userName", match_scim_id="aws-1", match_name="dora@acme.example", match_at=timezone.now(),
    )  # fmt: skip
    assert "dora@acme.example" in approver.get("/t/acme/approvals/").content.decode()
    approver.post("/t/acme/approvals/link/", {})
    assert approver.post("/t/acme/approvals/link/", {"ticked": [link.pk]})["Location"] == "/t/acme/runs/2/"
    link.refresh_from_db()
    assert link.adopt_scim_id == "aws-1"
    assert AuditEntry.objects.filter(verb="link.adopt").exists()


@pytest.mark.parametrize(
    ("object_type", "code", "words"),
    [
        ("group", "successor", "AWS holds a group of this name"),
        ("user", "successor", "The name belongs to a leaver"),
        ("group", "left-alone", "Left alone by rule"),
        ("user", "exists-unlinked", "AWS already has this object"),
    ],
)
def test_a_proposal_says_why_it_is_one_and_what_linking_keeps(
    run: Run, approver: Client, object_type: str, code: str, words: str
) -> None:
    Link.objects.create(
        tenant=run.tenant, object_type=object_type, object_id="d" * 36, match_code=code, wanted_name="devs",
        match_scim_id="aws-1", match_name="AWS-Devs", match_attribute="displayName", match_at=timezone.now(),
    )  # fmt: skip
    page = approver.get("/t/acme/approvals/").content.decode()
    assert words in page
    assert "AWS-Devs" in page
    assert "the AWS id stays, with the permission sets and account assignments that hang on it" in page


def test_a_reading_that_shrank_is_accepted_by_an_approver(run: Run, approver: Client) -> None:
    Run.objects.update(suspect="source-shrunk")
    assert "It really is smaller" in approver.get("/t/acme/approvals/").content.decode()
    assert "Entra returned far fewer than before" in approver.get("/t/acme/runs/1/").content.decode()
    approver.post("/t/acme/approvals/smaller/", {"run": "1"})
    assert Run.objects.get(number=2).kind == "full"
    assert "It really is smaller" not in approver.get("/t/acme/approvals/").content.decode()


# A plan and the yes to it


def plan(tenant: Tenant, *, state: str = "waiting_for_approval", kind: str = "changes", creates: int = 60) -> Run:
    Run.objects.all().delete()
    now = timezone.now()
    found = Run.objects.create(
        tenant=tenant, number=1, kind=kind, trigger="schedule", state=state, started_at=now, finished_at=now,
        planned=creates + 1, problem="not-confirmed" if state == "waiting_for_approval" else "",
    )  # fmt: skip
    rows = [("create", "user", f"New {n:02d}") for n in range(creates)] + [("disable", "user", "Old One")]
    Operation.objects.bulk_create(
        Operation(run=found, tenant=tenant, action=action, object_type=kind_, object_id=f"{n:036d}", display_name=name)
        for n, (action, kind_, name) in enumerate(rows)
    )
    return found


def test_a_waiting_plan_lists_its_rows_by_name_and_by_page(on: Tenant, jo: Client) -> None:
    plan(on)
    page = jo.get("/t/acme/runs/1/")
    assert "What it would do" in page.content.decode()
    assert {line["action"]: line["count"] for line in page.context["plan"]} == {"create": 60, "disable": 1}
    assert len(page.context["operations"]) == 50
    [(older, word)] = page.context["pager"].links
    assert word == "Older"
    assert older.endswith("#operations")
    removals = jo.get("/t/acme/runs/1/?action=disable")
    assert [row.display_name for row in removals.context["operations"]] == ["Old One"]


@pytest.mark.usefixtures("transactional_db")
def test_confirming_a_plan_writes_exactly_what_it_lists(on: Tenant, jo: Client, sent: list[int]) -> None:
    found = plan(on)
    assert jo.post("/t/acme/runs/1/confirm/")["Location"] == "/t/acme/runs/2/"
    configuration = configuration_of(on)
    assert (configuration.confirmed_run_id, configuration.confirmed_by) == (found.pk, "jo@acme.example")
    assert len(sent) == 1


def test_a_plan_that_is_out_of_date_is_not_confirmed(on: Tenant, jo: Client) -> None:
    plan(on)
    Run.objects.update(finished_at=timezone.now() - datetime.timedelta(hours=25))
    assert "out of date" in jo.get("/t/acme/runs/1/").content.decode()
    jo.post("/t/acme/runs/1/confirm/")
    assert not configuration_of(on).confirmed


def test_a_viewer_sees_the_plan_without_the_button(
    on: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    plan(on)
    client = client_of(viewer)
    assert "Confirm and write" not in client.get("/t/acme/runs/1/").content.decode()
    assert client.post("/t/acme/runs/1/confirm/").status_code == 403


def test_a_preview_says_what_would_still_be_held(on: Tenant, jo: Client) -> None:
    found = plan(on, kind="preview", state="completed", creates=0)
    Operation.objects.bulk_create(
        Operation(run=found, tenant=on, action="disable", object_type="user", object_id=f"x{n:035d}") for n in range(4)
    )
    assert "would remove 5 people, over your limit of 3" in jo.get("/t/acme/runs/1/").content.decode()


def test_after_a_change_of_scope_the_assignments_page_offers_a_preview(on: Tenant, jo: Client) -> None:
    configuration = configuration_of(on)
    configuration.confirmed_at = timezone.now()
    configuration.save()
    assert "waits for your yes" not in jo.get("/t/acme/assignments/").content.decode()
    matching_changed(tenant=on, actor="jo")
    assert "The next sync waits for your yes" in jo.get("/t/acme/assignments/").content.decode()
    assert jo.post("/t/acme/provisioning/preview/")["Location"] == "/t/acme/runs/2/"
    assert Run.objects.get(number=2).kind == "preview"


def test_held_figures_lead_to_approvals(run: Run, jo: Client) -> None:
    Run.objects.update(counts={"held": 24, "updated": 2})
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert "24<" in page
    assert 'href="/t/acme/approvals/"' in page


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({}, "On"),
        ({"enabled": False}, "Off"),
        ({"quarantined_at": timezone.now(), "quarantine_code": "token-refused"}, "Quarantined"),
    ],
)
def test_provisioning_says_how_it_stands(on: Tenant, jo: Client, facts: dict[str, Any], word: str) -> None:
    Tenant.objects.update(**facts)
    page = jo.get("/t/acme/provisioning/").content.decode()
    assert f'id="state-title">{word}<' in page
    assert ("AWS refused the access token" in page) == (word == "Quarantined")
    assert ("AWS refused the access token" in jo.get("/t/acme/").content.decode()) == (word == "Quarantined")


def test_held_changes_stand_in_the_state_and_on_the_overview(run: Run, jo: Client) -> None:
    hold_of(run, 5)
    assert 'id="state-title">Waiting for approval<' in jo.get("/t/acme/provisioning/").content.decode()
    assert "5 removals are held." in jo.get("/t/acme/").content.decode()


def doubted(tenant: Tenant, number: int) -> Run:
    """A run whose reading told no group any more."""
    now = timezone.now()
    seen = {"before": {"users": 9, "groups": 1, "memberships": 4}, "seen": {"users": 9, "groups": 0, "memberships": 4}}
    Snapshot.objects.create(
        tenant=tenant,
        full=True,
        sealed_at=now,
        suspect="source-shrunk",
        suspect_detail=seen | {"missing": {"groups": 1}},
    )
    return new_run(tenant, number, suspect="source-shrunk", started_at=now, finished_at=now)


def test_a_reading_without_any_groups_is_accepted_as_exactly_that_reading(ready: Tenant, jo: Client) -> None:
    shown = doubted(ready, 1)
    page = " ".join(jo.get("/t/acme/approvals/").content.decode().split())
    assert "Groups: 1 before, 0 now." in page
    assert "Memberships:" not in page
    newer = doubted(ready, 2)
    answer = jo.post("/t/acme/approvals/smaller/", {"run": str(shown.number)}, follow=True)
    ready.refresh_from_db()
    assert "there is another reading by now" in answer.content.decode()
    assert (ready.shrink_accepted_at, ready.shrink_accepted_empty) == (None, [])
    jo.post("/t/acme/approvals/smaller/", {"run": str(newer.number)})
    ready.refresh_from_db()
    assert (ready.shrink_accepted_at is not None, ready.shrink_accepted_empty) == (True, ["groups"])
    assert AuditEntry.objects.get(verb="directory.accept_shrinkage").after["empty"] == ["groups"]
