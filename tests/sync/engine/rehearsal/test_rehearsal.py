"""The preview of a draft: it plans what the next run would do, says why, and leaves no trace."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.approvals import queries
from sync.configuration import assignments, drafts, mappings, versions
from sync.configuration.filters import save_filter
from sync.configuration.leavers import disable_leavers
from sync.configuration.settings import set_settings
from sync.directory.live import Found
from sync.engine import cycle
from sync.graph.client import GraphClient
from sync.graph.errors import GraphError
from sync.models import (
    DirectoryUser,
    HeldChange,
    Incident,
    Inclusion,
    Link,
    Operation,
    Rehearsed,
    Run,
    Snapshot,
    Tenant,
)
from sync.preview import services
from sync.preview.queries.previews import PREVIEWED, beside_preview, missing_for_publishing, staying_people
from sync.preview.services import CannotKeep, NotPublished, keep_person, publish_draft
from sync.runs import lease
from sync.runs.lease import Watch
from sync.runs.requests import cancel_run, request_run
from sync.worker import execution
from tests.world.company import hire, names
from tests.world.examples import share
from tests.world.kept import Kept
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]
SEEN = ["removals", "over-members", "over-creates", "over-keys", "over-groups", "arriving", "guests"]


def preview(tenant: Tenant) -> Run:
    tenant.refresh_from_db()
    run = services.request_preview(tenant=tenant, actor=ACTOR, enqueue=False)
    finished = execution.execute_run(run.pk)
    assert finished is not None
    assert finished.state in PREVIEWED, (finished.problem, finished.problem_detail)
    return finished


def publish(tenant: Tenant, said: Run) -> None:
    publish_draft(tenant=tenant, actor=ACTOR, preview=said, seen=SEEN)


def traces() -> list[Any]:
    """Everything that a run notes apart from its plan."""
    users = DirectoryUser.objects.order_by("pk")
    return [
        list(users.values("object_id", "in_scope", "scope_reason", "scope_through", "scope_path", "scope_at")),
        list(Link.objects.order_by("pk").values()),
        list(Inclusion.objects.order_by("pk").values()),
        list(HeldChange.objects.order_by("pk").values()),
    ]


def deeds(run: Run) -> set[tuple[str, str, str]]:
    rows = Operation.objects.filter(run=run)
    return {
        (row.object_id, row.action, str(sorted(row.desired.items()) or sorted(row.changes.get("members", []))))
        for row in rows
    }


@pytest.fixture
def in_sync(kept: Kept) -> Tenant:
    return kept(two_groups_in_aws).tenant


def two_groups_in_aws(tenant: Tenant, lab: Lab) -> None:
    assign(tenant, lab.entra_group("AWS-Admins"), lab.entra_group("AWS-Developers"))
    sync(tenant)


def assign_in_draft(tenant: Tenant, found: dict[str, Any]) -> None:
    kind = "user" if "userPrincipalName" in found else "group"
    chosen = [Found(kind, found["id"], found["displayName"], "", "")]
    assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=chosen)


def edit(tenant: Tenant, target: str, **facts: Any) -> None:
    row = drafts.draft_or_current(tenant).mappings.get(object_type="user", target=target)
    rule = replace(row.rule(), **facts)
    mappings.save_mapping(actor=ACTOR, tenant=tenant, object_type="user", rule=rule, row=row)


def unassign(tenant: Tenant, name: str) -> None:
    row = drafts.draft_or_current(tenant).assignments.get(display_name=name)
    assignments.unassign_object(actor=ACTOR, tenant=tenant, assignment=row)


def only(tenant: Tenant, attribute: str, value: str) -> None:
    clause = {"attribute": attribute, "operator": "EQUALS", "value": value, "ignore_case": False}
    save_filter(actor=ACTOR, tenant=tenant, object_type="user", title="Some", clauses=[clause])


def check(run: Run, code: str) -> dict[str, Any]:
    return next(one for one in run.impact["checks"] if one["code"] == code)


def test_a_draft_like_the_published_rules_plans_nothing(in_sync: Tenant) -> None:
    edit(in_sync, "title", source="department")
    edit(in_sync, "title", source="jobTitle")
    with pytest.raises(services.NothingToPreview):
        preview(in_sync)
    # A change of the draft that says the same in other words.
    edit(in_sync, "title", kind="expression", source="Trim([jobTitle])")
    run = preview(in_sync)
    assert run.operations.count() == 0
    assert run.impact["people"]["stay"] == Link.objects.filter(object_type="user").exclude(scim_id="").count()


def test_whoever_gets_a_default_value_is_counted_once_and_marked(in_sync: Tenant, lab: Lab) -> None:
    """A default is used on create, and on updates where the mapping says so."""
    hire(lab, "Al Ready", lab.entra_group("AWS-Admins"))
    sync(in_sync)
    some = [hire(lab, f"No Title{n}", jobTitle=title) for n, title in enumerate([None, None, "Clerk"])]
    team = lab.call("POST", "entra/groups", {"displayName": "New team", "members": [one["id"] for one in some]})
    assign_in_draft(in_sync, team)
    edit(in_sync, "title", default="Staff")
    run = preview(in_sync)
    assert check(run, "defaults") == {"code": "defaults", "level": "good", "n": 2, "limit": 0}
    rows = {row.object_id: row.changes["title"] for row in run.operations.filter(object_type="user", action="create")}
    assert [rows[one["id"]].get("from_default", False) for one in some] == [True, True, False]
    edit(in_sync, "title", default_on_update=True)
    assert check(preview(in_sync), "defaults")["n"] == 3


def test_without_a_default_value_no_check_is_made_of_it(in_sync: Tenant) -> None:
    edit(in_sync, "title", source="department")
    assert "defaults" not in [one["code"] for one in preview(in_sync).impact["checks"]]


def test_those_who_stay_as_they_are_are_listed_one_by_one(in_sync: Tenant, lab: Lab) -> None:
    everybody = {user["externalId"] for user in lab.aws()["users"]}
    unassign(in_sync, "AWS-Developers")
    run = preview(in_sync)
    moved = set(run.operations.filter(object_type="user").values_list("object_id", flat=True))
    assert moved & everybody
    listed = [user.object_id for user in staying_people(run)]
    assert sorted(listed) == sorted(everybody - moved)
    assert len(listed) == run.impact["people"]["stay"]


def test_a_draft_under_which_leavers_stay_says_how_many(in_sync: Tenant, lab: Lab) -> None:
    people = Link.objects.filter(object_type="user").exclude(scim_id="").count()
    edit(in_sync, "title", source="department")
    assert check(preview(in_sync), "leavers") == {"code": "leavers", "level": "good", "n": 0, "limit": 0}
    edit(in_sync, "active", kind="direct", source="accountEnabled")
    run = preview(in_sync)
    assert check(run, "leavers") == {"code": "leavers", "level": "attention", "n": people, "limit": 0}
    row = drafts.draft_or_current(in_sync).mappings.get(object_type="user", target="active")
    mappings.remove_mapping(actor=ACTOR, tenant=in_sync, row=row)
    assert check(preview(in_sync), "leavers")["n"] == people


def test_a_leaver_whom_the_draft_keeps_or_disables_is_named_with_the_mapping(in_sync: Tenant, lab: Lab) -> None:
    person = Link.objects.filter(object_type="user").exclude(scim_id="").first()
    assert person
    lab.call("POST", f"entra/users/{person.object_id}/leave")
    edit(in_sync, "active", kind="constant", source="True")
    run = preview(in_sync)
    row = run.operations.get(object_id=person.object_id, problem="stays-active")
    assert row.causes == ["mapping:user:active"]
    sync(in_sync)
    disable_leavers(actor=ACTOR, tenant=in_sync)
    run = preview(in_sync)
    row = run.operations.get(object_id=person.object_id, object_type="user")
    assert (row.action, row.causes) == ("disable", ["mapping:user:active", "scope:deleted"])
    lab.call("POST", f"entra/users/{person.object_id}/restore")


def test_a_preview_leaves_links_and_scope_as_they_are(in_sync: Tenant, lab: Lab) -> None:
    unassign(in_sync, "AWS-Developers")
    edit(in_sync, "title", source="department")
    before = traces()
    lab.forget_requests()
    run = preview(in_sync)
    assert run.operations.exists()
    assert traces() == before
    assert not Rehearsed.objects.exists()
    assert lab.requests() == []


def test_the_run_after_the_publish_does_what_the_preview_said(in_sync: Tenant, lab: Lab) -> None:
    unassign(in_sync, "AWS-Admins")
    edit(in_sync, "title", source="department")
    only(in_sync, "department", "Engineering")
    said = preview(in_sync)
    publish(in_sync, said)
    did = sync(in_sync, confirmed=False)
    assert deeds(did) == deeds(said)
    assert deeds(said)
    compared = beside_preview(did)
    assert compared is not None
    assert (compared.differ, compared.said) == (0, compared.did)
    # Only the first run of a version stands beside its preview.
    assert beside_preview(sync(in_sync)) is None


def test_what_waits_under_approvals_stands_in_the_way_of_no_preview(in_sync: Tenant, lab: Lab) -> None:
    only(in_sync, "department", "Engineering")
    publish(in_sync, preview(in_sync))
    run = sync(in_sync, confirmed=False)
    assert run.state == Run.State.WAITING
    waiting = set(HeldChange.objects.waiting().values_list("object_id", flat=True))
    assert waiting
    plain = request_run(tenant=in_sync, kind=Run.Kind.PREVIEW, trigger=Run.Trigger.PERSON, enqueue=False)
    finished = execution.execute_run(plain.pk)
    assert finished is not None
    assert finished.state in Run.DONE
    edit(in_sync, "title", source="department")
    said = preview(in_sync)
    publish(in_sync, said)
    did = sync(in_sync, confirmed=False)
    assert deeds(did) ^ deeds(said) == set()
    assert set(HeldChange.objects.waiting().values_list("object_id", flat=True)) == waiting


EDITS = {
    "unassign admins": lambda tenant, lab: unassign(tenant, "AWS-Admins"),
    "assign more": lambda tenant, lab: assign_in_draft(tenant, lab.entra_group("Security team")),
    "nest": lambda tenant, lab: assignments.set_nested(
        actor=ACTOR,
        tenant=tenant,
        assignment=drafts.draft_or_current(tenant).assignments.get(display_name="AWS-Developers"),
        nested=True,
    ),
    "send no group": lambda tenant, lab: assignments.set_send_group(
        actor=ACTOR,
        tenant=tenant,
        assignment=drafts.draft_or_current(tenant).assignments.get(display_name="AWS-Developers"),
        send_group=False,
    ),
    "title": lambda tenant, lab: edit(tenant, "title", source="department"),
    "user names": lambda tenant, lab: edit(tenant, "userName", kind="expression", source='Join("", "x-", [mail])'),
    "clashing addresses": lambda tenant, lab: edit(
        tenant, 'emails[type eq "work"].value', kind="expression", source='Join("", [department], "@acme.example")'
    ),
    "filter": lambda tenant, lab: only(tenant, "department", "Engineering"),
    "everybody": lambda tenant, lab: set_settings(actor=ACTOR, tenant=tenant, everybody=True),
    "no disabling": lambda tenant, lab: set_settings(actor=ACTOR, tenant=tenant, user_actions=["create", "update"]),
}


@settings(max_examples=share(0.08))
@given(chosen=st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=4, unique=True))
def test_any_draft_is_carried_out_as_it_was_previewed(wired: Tenant, lab: Lab, chosen: list[str]) -> None:
    if not wired.configurations.published().exists():
        groups = [lab.entra_group(name) for name in ("AWS-Admins", "AWS-Developers")]
        assign(wired, *groups)
        sync(wired)
    for name in chosen:
        if (
            name != "unassign admins"
            or drafts.draft_or_current(wired).assignments.filter(display_name="AWS-Admins").exists()
        ):
            EDITS[name](wired, lab)
    if not drafts.changes(wired):
        return
    before = traces()
    said = preview(wired)
    assert traces() == before
    draft = wired.configurations.draft()
    assert draft is not None
    versions.make_version(draft, actor=ACTOR, preview=said)
    did = sync(wired, confirmed=False)
    assert deeds(did) ^ deeds(said) == set()


def test_every_change_names_what_brings_it(in_sync: Tenant, lab: Lab) -> None:
    newcomer = hire(lab, "New Comer")
    assign_in_draft(in_sync, newcomer)
    unassign(in_sync, "AWS-Admins")
    only(in_sync, "department", "Engineering")
    edit(in_sync, "title", source="department")
    [filter_key] = [key for key in drafts.differs(in_sync) if key.startswith("filter:")]
    group_key = f"assignment:group:{lab.entra_group('AWS-Admins')['id']}"
    run = preview(in_sync)
    gone = run.operations.filter(object_type="user", action="disable")
    causes = {tuple(row.causes) for row in gone}
    assert causes == {(group_key, "scope:not-assigned"), (filter_key, "scope:outside-filter")}
    updated = run.operations.filter(object_type="user", action="update")
    assert {tuple(row.causes) for row in updated} == {("mapping:user:title",)}
    members = run.operations.filter(object_type="membership", object_id=lab.entra_group("AWS-Admins")["id"])
    assert {tuple(row.causes) for row in members} == {(group_key,)}


def test_what_entra_changed_meanwhile_is_not_put_on_the_draft(in_sync: Tenant, lab: Lab) -> None:
    member = lab.entra_group("AWS-Admins")["members"][0]["id"]
    lab.call("PATCH", f"entra/users/{member}", {"jobTitle": "Astronaut"})
    edit(in_sync, "preferredLanguage", kind="constant", source="en")
    run = preview(in_sync)
    row = run.operations.get(object_id=member, object_type="user")
    assert set(row.changes) >= {"title"}
    assert row.causes in ([], ["mapping:user:preferredLanguage"])
    lab.call("PATCH", f"entra/users/{member}", {"jobTitle": "Clerk"})


def test_updates_are_folded_by_pattern(in_sync: Tenant) -> None:
    edit(in_sync, "title", kind="constant", source="Colleague")
    edit(in_sync, "displayName", kind="expression", source="ToUpper([displayName])")
    folds = {(one["unit"], one["pattern"]): one for one in preview(in_sync).impact["folds"]}
    people = Link.objects.filter(object_type="user").exclude(scim_id="").count()
    assert folds["title", "other"]["after"] == "Colleague"
    assert folds["displayName", "case"]["n"] == people
    assert len(folds["displayName", "case"]["examples"]) == 5
    assert folds["displayName", "case"]["causes"] == ["mapping:user:displayName", "mapping:user:title"]


def test_two_people_for_one_user_name_block_the_publishing(in_sync: Tenant) -> None:
    edit(in_sync, 'emails[type eq "work"].value', kind="constant", source="all@acme.example")
    run = preview(in_sync)
    assert check(run, "shared")["level"] == "bad"
    assert check(run, "shared")["n"] > 1
    with pytest.raises(NotPublished, match="blocked"):
        publish(in_sync, run)


def test_a_required_field_that_becomes_empty_blocks_the_publishing(in_sync: Tenant) -> None:
    edit(in_sync, "name.familyName", source="extensionAttribute7")
    run = preview(in_sync)
    assert check(run, "emptied")["level"] == "bad"
    assert missing_for_publishing(in_sync, run, SEEN) == ["blocked"]


def test_an_expression_that_stops_blocks_the_publishing(in_sync: Tenant) -> None:
    edit(in_sync, "title", kind="expression", source="CDate([jobTitle])")
    run = preview(in_sync)
    assert check(run, "expressions")["level"] == "bad"
    assert missing_for_publishing(in_sync, run, SEEN) == ["blocked"]


def test_who_arrives_incomplete_asks_for_a_look_and_blocks_nothing(in_sync: Tenant, lab: Lab) -> None:
    newcomer = hire(lab, "Mono Nym")
    lab.call("PATCH", f"entra/users/{newcomer['id']}", {"surname": None})
    assign_in_draft(in_sync, newcomer)
    run = preview(in_sync)
    assert (check(run, "arriving")["level"], check(run, "arriving")["n"]) == ("attention", 1)
    assert missing_for_publishing(in_sync, run, []) == ["not-seen"]
    assert missing_for_publishing(in_sync, run, ["arriving"]) == []


def test_many_removals_are_seen_then_held_and_never_done_by_publishing(in_sync: Tenant, lab: Lab) -> None:
    before = names(lab)
    only(in_sync, "department", "Nobody works here")
    run = preview(in_sync)
    assert (check(run, "removals")["level"], check(run, "removals")["n"]) == ("attention", len(before))
    with pytest.raises(NotPublished, match="not-seen"):
        publish_draft(tenant=in_sync, actor=ACTOR, preview=run)
    publish(in_sync, run)
    did = sync(in_sync, confirmed=False)
    assert did.counts["held"] >= len(before)
    assert all(user["active"] for user in lab.aws()["users"])


def test_publishing_says_yes_to_the_creates_that_the_preview_listed(in_sync: Tenant, lab: Lab) -> None:
    set_settings(actor=ACTOR, tenant=in_sync, everybody=True)
    run = preview(in_sync)
    assert check(run, "over-creates")["level"] == "attention"
    publish(in_sync, run)
    did = sync(in_sync, confirmed=False)
    assert did.state != Run.State.WAITING
    assert did.counts["created"] == run.impact["people"]["created"]
    assert did.counts.get("held", 0) == 0


def test_a_preview_of_another_draft_or_an_old_one_publishes_nothing(in_sync: Tenant) -> None:
    edit(in_sync, "title", source="department")
    run = preview(in_sync)
    edit(in_sync, "title", source="companyName")
    assert missing_for_publishing(in_sync, run) == ["stale"]
    edit(in_sync, "title", source="department")
    # The very same draft again: what the preview shows is what would be published.
    assert missing_for_publishing(in_sync, run) == []
    run.finished_at = timezone.now() - datetime.timedelta(minutes=61)
    assert missing_for_publishing(in_sync, run) == ["stale"]


def test_a_preview_that_failed_leaves_the_draft_and_publishes_nothing(
    in_sync: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(in_sync, "title", source="department")

    def refuse(_graph: GraphClient) -> None:
        raise GraphError("no", status=503)

    monkeypatch.setattr(GraphClient, "sign_in", refuse)
    run = services.request_preview(tenant=in_sync, actor=ACTOR, enqueue=False)
    failed = execution.execute_run(run.pk)
    assert failed is not None
    assert failed.state == Run.State.FAILED
    assert drafts.differs(in_sync) == ["mapping:user:title"]
    assert missing_for_publishing(in_sync, failed) == ["no-preview"]


def test_a_draft_that_is_discarded_before_its_preview_begins_is_not_previewed(in_sync: Tenant) -> None:
    edit(in_sync, "title", source="department")
    run = services.request_preview(tenant=in_sync, actor=ACTOR, enqueue=False)
    versions.discard_draft(tenant=in_sync, actor=ACTOR)
    before = traces()
    ended = execution.execute_run(run.pk)
    assert ended is not None
    assert (ended.state, ended.operations.count()) == (Run.State.CANCELLED, 0)
    assert traces() == before


def test_a_preview_opens_no_incident_moves_no_schedule_and_is_in_no_log(in_sync: Tenant) -> None:
    due = timezone.now() + datetime.timedelta(minutes=3)
    Tenant.objects.update(enabled=True, next_run_at=due)
    edit(in_sync, 'emails[type eq "work"].value', kind="constant", source="all@acme.example")
    run = preview(in_sync)
    assert run.operations.filter(problem="same-value").exists()
    assert not Incident.objects.exists()
    assert Tenant.objects.get().next_run_at == due
    assert not Operation.objects.log().filter(run=run).exists()


def test_discarding_the_draft_ends_its_preview(in_sync: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(in_sync, "title", source="department")
    run = services.request_preview(tenant=in_sync, actor=ACTOR, enqueue=False)
    read = cycle.read

    def discard_meanwhile(*arguments: Any) -> Snapshot:
        versions.discard_draft(tenant=in_sync, actor=ACTOR)
        return read(*arguments)

    monkeypatch.setattr(cycle, "read", discard_meanwhile)
    ended = execution.execute_run(run.pk)
    assert ended is not None
    assert ended.state == Run.State.CANCELLED
    assert Run.objects.get(pk=run.pk).configuration is None


def test_a_preview_can_be_cancelled_and_takes_its_rows_with_it(
    in_sync: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    unassign(in_sync, "AWS-Admins")
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.05)
    run = services.request_preview(tenant=in_sync, actor=ACTOR, enqueue=False)
    safe_point = Watch.safe_point

    def cancel(watch: Watch) -> bool:
        if Rehearsed.objects.exists():
            cancel_run(run=Run.objects.get(pk=run.pk), actor=ACTOR)
            # Ends as soon as the heartbeat has seen it.
            watch.sleep(30)
        return safe_point(watch)

    monkeypatch.setattr(Watch, "safe_point", cancel)
    ended = execution.execute_run(run.pk)
    assert ended is not None
    assert ended.state == Run.State.CANCELLED
    assert not Rehearsed.objects.exists()
    assert not ended.operations.exists()


def test_a_draft_that_changed_gets_a_preview_of_its_own(in_sync: Tenant) -> None:
    edit(in_sync, "title", source="department")
    first = services.request_preview(tenant=in_sync, actor=ACTOR, enqueue=False)
    assert services.request_preview(tenant=in_sync, actor=ACTOR, enqueue=False) == first
    Run.objects.filter(pk=first.pk).update(state=Run.State.RUNNING, configuration_digest="of an older draft")
    second = services.request_preview(tenant=in_sync, actor=ACTOR, enqueue=False)
    assert second != first
    assert Run.objects.get(pk=first.pk).state == Run.State.CANCELLING


def test_a_sync_and_a_preview_wait_for_each_other(in_sync: Tenant) -> None:
    edit(in_sync, "title", source="department")
    waiting = services.request_preview(tenant=in_sync, actor=ACTOR, enqueue=False)
    ask = {"tenant": in_sync, "kind": Run.Kind.CHANGES, "trigger": Run.Trigger.PERSON, "enqueue": False}
    assert request_run(**ask) != waiting


def test_a_preview_of_the_draft_does_not_hide_the_plan_that_waits(in_sync: Tenant) -> None:
    edit(in_sync, "title", source="department")
    now = timezone.now()
    facts = {"tenant": in_sync, "trigger": "person", "started_at": now, "finished_at": now}
    waiting = Run.objects.create(number=90, kind="changes", state=Run.State.WAITING, problem=Run.NOT_CONFIRMED, **facts)
    in_sync.configurations.published().update(confirmed_at=None, changed_at=now - datetime.timedelta(hours=1))
    Run.objects.create(number=91, kind="preview", state="completed", configuration_digest="of a draft", **facts)
    assert queries.waiting_plan(in_sync) == waiting
    # Nor is it a yes to what runs follow.
    assert queries.newest_plan(in_sync, in_sync.configurations.current()) == waiting


def test_somebody_unassigned_is_kept_by_an_assignment(in_sync: Tenant, lab: Lab) -> None:
    unassign(in_sync, "AWS-Admins")
    gone = preview(in_sync).operations.filter(object_type="user", action="disable")
    person = DirectoryUser.objects.get(object_id=gone[0].object_id)
    keep_person(tenant=in_sync, actor=ACTOR, person=person)
    again = preview(in_sync).operations.filter(object_type="user", action="disable")
    assert {row.object_id for row in gone} - {row.object_id for row in again} == {person.object_id}


def test_somebody_outside_a_filter_is_kept_by_a_filter_of_their_own(in_sync: Tenant) -> None:
    only(in_sync, "department", "Engineering")
    gone = preview(in_sync).operations.filter(object_type="user", action="disable")
    person = DirectoryUser.objects.get(object_id=gone[0].object_id)
    keep_person(tenant=in_sync, actor=ACTOR, person=person)
    again = preview(in_sync).operations.filter(object_type="user", action="disable")
    assert {row.object_id for row in gone} - {row.object_id for row in again} == {person.object_id}


def test_nobody_is_kept_whom_entra_itself_blocks(in_sync: Tenant, lab: Lab) -> None:
    unassign(in_sync, "AWS-Admins")
    member = lab.entra_group("AWS-Admins")["members"][0]["id"]
    lab.call("PATCH", f"entra/users/{member}", {"accountEnabled": False})
    preview(in_sync)
    person = DirectoryUser.objects.get(object_id=member)
    with pytest.raises(CannotKeep):
        keep_person(tenant=in_sync, actor=ACTOR, person=person)
    # Nothing half done stays behind.
    assert not drafts.draft_or_current(in_sync).assignments.filter(object_id=member).exists()
    lab.call("PATCH", f"entra/users/{member}", {"accountEnabled": True})


def test_a_restored_version_undoes_a_wrong_one(in_sync: Tenant, lab: Lab) -> None:
    first = in_sync.configurations.current()
    only(in_sync, "department", "Engineering")
    publish(in_sync, preview(in_sync))
    sync(in_sync, confirmed=False)
    assert HeldChange.objects.open().exists()
    versions.restore_version(tenant=in_sync, actor=ACTOR, version=first)
    back = preview(in_sync)
    assert back.impact["people"]["lose"] == 0
    publish(in_sync, back)
    sync(in_sync, confirmed=False)
    assert not HeldChange.objects.open().exists()
    assert all(user["active"] for user in lab.aws()["users"])
