"""Who stays active in AWS under a configuration: said of its rows, its actions and its people; mended in one step."""

from typing import Any

import pytest

from sync.configuration import drafts, mappings, versions
from sync.configuration.leavers import disable_leavers, leavers_problems, leavers_problems_with
from sync.configuration.settings import set_settings
from sync.models import AttributeMapping, DirectoryUser, Tenant
from sync.rules.leavers import DISABLING
from sync.rules.rows import MappingRow
from sync.rules.wanted import Wanted
from tests.world.tenant import ACTOR

pytestmark = pytest.mark.django_db


def active_row(tenant: Tenant) -> AttributeMapping | None:
    return drafts.draft_or_current(tenant).mappings.filter(object_type="user", target="active").first()


def codes(tenant: Tenant) -> list[str]:
    return [problem.code for problem in leavers_problems(drafts.draft_or_current(tenant))]


def save(tenant: Tenant, kind: Any, source: str, **facts: Any) -> None:
    rule = MappingRow("active", kind, source, **facts)
    mappings.save_mapping(actor=ACTOR, tenant=tenant, object_type="user", rule=rule, row=active_row(tenant))


def test_the_template_disables_whoever_leaves(tenant: Tenant) -> None:
    assert codes(tenant) == []


def test_a_row_under_which_nobody_is_disabled_is_told(tenant: Tenant) -> None:
    save(tenant, "constant", "True")
    assert codes(tenant) == ["leavers-stay"]
    save(tenant, "direct", "accountEnabled")
    assert codes(tenant) == ["unassigned-stay"]
    row = active_row(tenant)
    assert row
    mappings.remove_mapping(actor=ACTOR, tenant=tenant, row=row)
    assert codes(tenant) == ["leavers-stay"]


def test_people_whom_the_mirror_knows_are_tried(tenant: Tenant) -> None:
    save(tenant, "expression", 'IIF(Mid([jobTitle], 2, 3)="ire", "True", Not([IsSoftDeleted]))')
    assert codes(tenant) == []
    facts = {"id": "1", "accountEnabled": True, "jobTitle": "Director"}
    DirectoryUser.objects.create(tenant=tenant, object_id="1" * 36, in_scope=True, properties=facts)
    assert codes(tenant) == ["some-leavers-stay"]


def test_target_actions_without_disable_are_told(tenant: Tenant) -> None:
    set_settings(actor=ACTOR, tenant=tenant, user_actions=["create", "update"])
    assert codes(tenant) == ["disable-off"]


def test_an_import_is_told_by_what_it_would_leave(tenant: Tenant) -> None:
    rows = [row.rule() for row in drafts.draft_or_current(tenant).mappings.filter(object_type="user")]
    without = [rule for rule in rows if rule.target != "active"]
    found = leavers_problems_with(tenant, Wanted(mappings={"user": without}))
    assert [problem.code for problem in found] == ["leavers-stay"]
    found = leavers_problems_with(tenant, Wanted(mappings={"user": rows}, settings={"user_actions": ["create"]}))
    assert [problem.code for problem in found] == ["disable-off"]
    assert leavers_problems_with(tenant, Wanted(mappings={"user": rows})) == []
    assert leavers_problems_with(tenant, Wanted(settings={"everybody": True})) == []


@pytest.mark.parametrize("broken", ["constant", "removed", "actions"])
def test_one_step_mends_it_in_the_draft(tenant: Tenant, broken: str) -> None:
    if broken == "constant":
        save(tenant, "constant", "True", apply="create")
    elif broken == "removed":
        row = active_row(tenant)
        assert row
        mappings.remove_mapping(actor=ACTOR, tenant=tenant, row=row)
    else:
        set_settings(actor=ACTOR, tenant=tenant, user_actions=["create", "update"])
    versions.make_version(drafts.draft_or_current(tenant), actor=ACTOR)
    disable_leavers(actor=ACTOR, tenant=tenant)
    assert codes(tenant) == []
    row = active_row(tenant)
    assert row
    assert row.source == DISABLING.source
    assert len(drafts.changes(tenant)) == 1
