"""Leavers in whole runs: who is disabled under which mapping of `active`, and who is told to stay."""

from dataclasses import replace
from typing import Any

import pytest

from sync.configuration.mappings import remove_mapping, save_mapping
from sync.configuration.settings import set_settings
from sync.models import Link, Run, Tenant
from sync.problems.catalogue import PROBLEMS
from sync.rules.leavers import DISABLING
from sync.rules.rows import MappingRow
from tests.world.company import active, aws_user, change, change_members, group_of, leave, people, writes
from tests.world.examples import nightly
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)

ROWS: dict[str, MappingRow | None] = {
    "template": DISABLING,
    "not": MappingRow("active", "expression", "Not([IsSoftDeleted])"),
    "direct": MappingRow("active", "direct", "accountEnabled"),
    "expression": MappingRow("active", "expression", 'Switch([accountEnabled], "True", "False", "False")'),
    "both": MappingRow("active", "expression", 'IIF([IsSoftDeleted]="True","False",[accountEnabled])'),
    "sales": MappingRow("active", "expression", 'IIF([department]="Sales", "True", Not([IsSoftDeleted]))'),
    "constant": MappingRow("active", "constant", "True"),
    "none": MappingRow("active", "none", "", default="True"),
    "once": replace(DISABLING, apply="create"),
    "no row": None,
}
WAYS = ("blocked", "unassigned", "in the bin", "purged")


def map_active(tenant: Tenant, rule: MappingRow | None) -> None:
    row = tenant.configurations.current().mappings.filter(object_type="user", target="active").first()
    if rule is None:
        assert row
        remove_mapping(actor=ACTOR, tenant=tenant, row=row)
    else:
        save_mapping(actor=ACTOR, tenant=tenant, object_type="user", rule=rule, row=row)


def company(tenant: Tenant, lab: Lab, rule: MappingRow | None) -> dict[str, Any]:
    """Five people whom AWS holds: one for each way of leaving, and one who stays."""
    found = people(lab, 5)
    group = group_of(lab, f"Team {found[0]['id'][:8]}", found)
    Tenant.objects.filter(pk=tenant.pk).update(limits={"people_at_least": 10})
    map_active(tenant, rule)
    assign(tenant, group)
    sync(tenant)
    return {"group": group, "stays": found[4], **dict(zip(WAYS, found[:4], strict=True))}


def everybody_leaves(lab: Lab, team: dict[str, Any]) -> None:
    change(lab, team["blocked"], accountEnabled=False)
    change_members(lab, team["group"], remove=[team["unassigned"]["id"]])
    leave(lab, team["in the bin"], team["purged"])
    lab.call("POST", f"entra/users/{team['purged']['id']}/purge")


def still_active(lab: Lab, team: dict[str, Any]) -> set[str]:
    held = active(lab)
    return {name for name in (*WAYS, "stays") if team[name]["id"] in held}


def told(run: Run, team: dict[str, Any], problem: str) -> set[str]:
    ids = set(run.operations.filter(problem=problem).values_list("object_id", flat=True))
    return {name for name in WAYS if team[name]["id"] in ids}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("template", set()),
        ("expression", {"unassigned"}),
        ("once", set(WAYS)),
        ("no row", set(WAYS)),
        *nightly(
            ("not", set()), ("direct", {"unassigned"}), ("both", set()), ("constant", set(WAYS)), ("none", set(WAYS))
        ),
    ],
)
def test_a_leaver_is_disabled_by_the_mapping_of_active_or_told(
    wired: Tenant, lab: Lab, name: str, kept: set[str]
) -> None:
    team = company(wired, lab, ROWS[name])
    assert still_active(lab, team) == {*WAYS, "stays"}
    everybody_leaves(lab, team)
    run = sync(wired)
    assert still_active(lab, team) == {"stays", *kept}
    assert told(run, team, "stays-active") == kept
    lab.forget_requests()
    assert told(sync(wired, Run.Kind.FULL), team, "stays-active") == kept
    assert [request for request in writes(lab) if "/Users" in request["path"]] == []


def test_a_condition_on_another_attribute_is_that_of_the_leaver(wired: Tenant, lab: Lab) -> None:
    team = company(wired, lab, ROWS["sales"])
    change(lab, team["unassigned"], department="Sales")
    change(lab, team["in the bin"], department="Sales")
    sync(wired)
    everybody_leaves(lab, team)
    run = sync(wired)
    assert still_active(lab, team) == {"unassigned", "in the bin", "stays"}
    assert told(run, team, "stays-active") == {"unassigned", "in the bin"}


def test_whoever_stayed_active_is_disabled_once_the_mapping_says_so(wired: Tenant, lab: Lab) -> None:
    team = company(wired, lab, ROWS["constant"])
    everybody_leaves(lab, team)
    sync(wired)
    map_active(wired, DISABLING)
    run = sync(wired)
    assert still_active(lab, team) == {"stays"}
    assert run.counts["disabled"] == 4


def test_a_leaver_is_never_enabled(wired: Tenant, lab: Lab) -> None:
    """Blocked first, then out of scope, then allowed to sign in again: somebody out of scope stays disabled."""
    team = company(wired, lab, ROWS["direct"])
    change(lab, team["blocked"], accountEnabled=False)
    sync(wired)
    change_members(lab, team["group"], remove=[team["blocked"]["id"]])
    change(lab, team["blocked"], accountEnabled=True)
    sync(wired)
    assert aws_user(lab, team["blocked"]["id"])["active"] is False
    change_members(lab, team["group"], add=[team["blocked"]["id"]])
    sync(wired)
    assert aws_user(lab, team["blocked"]["id"])["active"] is True


def test_an_error_in_another_row_keeps_no_leaver_in_aws(wired: Tenant, lab: Lab) -> None:
    team = company(wired, lab, DISABLING)
    title = wired.configurations.current().mappings.get(object_type="user", target="title")
    rule = MappingRow("title", "expression", 'Error("no title")')
    save_mapping(actor=ACTOR, tenant=wired, object_type="user", rule=rule, row=title)
    everybody_leaves(lab, team)
    sync(wired)
    assert still_active(lab, team) == {"stays"}


def test_an_error_in_the_row_of_active_is_told_for_the_leaver(wired: Tenant, lab: Lab) -> None:
    team = company(wired, lab, MappingRow("active", "expression", 'IIF([IsSoftDeleted]="True", Error("no"), "True")'))
    everybody_leaves(lab, team)
    run = sync(wired)
    assert told(run, team, "expression-error") == set(WAYS)
    assert run.state == Run.State.COMPLETED_WITH_ERRORS


def test_a_leaver_whom_the_target_actions_keep_active_is_told(wired: Tenant, lab: Lab) -> None:
    team = company(wired, lab, DISABLING)
    set_settings(actor=ACTOR, tenant=wired, user_actions=["create", "update", "delete"])
    everybody_leaves(lab, team)
    run = sync(wired)
    assert told(run, team, "disable-off") == set(WAYS)
    assert PROBLEMS["disable-off"].warning


def test_whoever_was_disabled_before_is_told_no_more(wired: Tenant, lab: Lab) -> None:
    team = company(wired, lab, DISABLING)
    everybody_leaves(lab, team)
    sync(wired)
    map_active(wired, ROWS["constant"])
    assert told(sync(wired), team, "stays-active") == set()
    assert Link.objects.filter(object_type="user", active=False).count() == 4
