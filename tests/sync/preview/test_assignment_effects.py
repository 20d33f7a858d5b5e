"""Whom assignments bring: direct and nested members, who is there through nothing else, who stays because of what."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sync.configuration import assignments
from sync.configuration.drafts import draft_or_current
from sync.configuration.filters import save_filter
from sync.configuration.settings import set_settings
from sync.directory.live import Found
from sync.models import Configuration, DirectoryGroup, DirectoryMembership, DirectoryUser, Tenant
from sync.preview.queries import assignment_effects
from sync.preview.queries.assignment_effects import EVERYBODY, HIMSELF, AssignmentCounts, AssignmentEffects

pytestmark = pytest.mark.both

ACTOR = "jo@acme.example"


class Company:
    """Rows of the mirror by short names."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    def person(self, name: str, *groups: str, **facts: Any) -> None:
        DirectoryUser.objects.create(tenant=self.tenant, object_id=name, display_name=name.title(), **facts)
        for group in groups:
            DirectoryMembership.objects.create(tenant=self.tenant, group_id=group, member_id=name)

    def group(self, name: str, *inside: str, **facts: Any) -> None:
        DirectoryGroup.objects.create(tenant=self.tenant, object_id=name, display_name=name.title(), **facts)
        for group in inside:
            DirectoryMembership.objects.create(tenant=self.tenant, group_id=group, member_id=name, member_type="group")

    def assign(self, *names: str, nested: tuple[str, ...] = ()) -> Configuration:
        groups = set(DirectoryGroup.objects.values_list("object_id", flat=True))
        chosen = [Found("group" if name in groups else "user", name, name.title(), "", "") for name in names]
        for row in assignments.assign_objects(actor=ACTOR, tenant=self.tenant, chosen=chosen):
            if row.object_id in nested:
                assignments.set_nested(actor=ACTOR, tenant=self.tenant, assignment=row, nested=True)
        return draft_or_current(self.tenant)


@pytest.fixture
def company(tenant: Tenant) -> Company:
    return Company(tenant)


@pytest.fixture
def admins_and_devs(company: Company) -> Company:
    """admins: kavi, ng, lena; devs: ng, zoe; inside devs the group leads: mo."""
    company.group("admins")
    company.group("devs")
    company.group("leads", "devs")
    company.person("kavi", "admins")
    company.person("ng", "admins", "devs")
    company.person("lena", "admins")
    company.person("zoe", "devs")
    company.person("mo", "leads")
    return company


def test_counts_of_direct_and_only_through(admins_and_devs: Company) -> None:
    rules = AssignmentEffects(admins_and_devs.assign("admins", "devs", "lena"))
    assert rules.counts() == {"admins": AssignmentCounts(3, 3, 1), "devs": AssignmentCounts(2, 2, 1)}


def test_nested_groups_count_when_the_draft_includes_them(admins_and_devs: Company) -> None:
    rules = AssignmentEffects(admins_and_devs.assign("admins", "devs", nested=("devs",)))
    assert rules.counts()["devs"] == AssignmentCounts(direct=2, effective=3, only=2)


def test_only_people_without_another_way_leave_with_a_group(admins_and_devs: Company) -> None:
    rules = AssignmentEffects(admins_and_devs.assign("admins", "devs", "lena"))
    found = rules.departure([("group", "admins")])
    assert found.leaving == {"kavi"}
    assert found.staying == {("group", "devs"): 1, HIMSELF: 1}


def test_groups_that_go_together_do_not_keep_each_others_people(admins_and_devs: Company) -> None:
    rules = AssignmentEffects(admins_and_devs.assign("admins", "devs"))
    assert rules.departure([("group", "admins"), ("group", "devs")]).leaving == {"kavi", "ng", "lena", "zoe"}


def test_people_of_nested_groups_leave_too_and_are_kept_by_nested_groups(admins_and_devs: Company) -> None:
    company = admins_and_devs
    company.group("all")
    DirectoryMembership.objects.create(tenant=company.tenant, group_id="all", member_id="leads", member_type="group")
    rules = AssignmentEffects(company.assign("devs", "all", nested=("devs", "all")))
    found = rules.departure([("group", "devs")])
    assert found.leaving == {"ng", "zoe"}
    assert found.staying == {("group", "all"): 1}


def test_a_person_assigned_alone_leaves_unless_a_group_brings_them(admins_and_devs: Company) -> None:
    admins_and_devs.person("alone")
    rules = AssignmentEffects(admins_and_devs.assign("admins", "alone", "kavi"))
    assert rules.departure([("user", "alone")]).leaving == {"alone"}
    assert rules.departure([("user", "kavi")]).staying == {("group", "admins"): 1}
    assert rules.departure([("user", "kavi"), ("group", "admins")]).leaving == {"kavi", "ng", "lena"}


def test_nobody_leaves_while_all_people_are_in_scope(admins_and_devs: Company) -> None:
    set_settings(actor=ACTOR, tenant=admins_and_devs.tenant, everybody=True)
    rules = AssignmentEffects(admins_and_devs.assign("admins"))
    assert rules.counts()["admins"] == AssignmentCounts(3, 3, 0)
    assert rules.departure([("group", "admins")]).staying == {EVERYBODY: 3}


def test_whoever_may_not_sign_in_cannot_leave(company: Company) -> None:
    company.group("team")
    company.person("out", "team", properties={"accountEnabled": False})
    rules = AssignmentEffects(company.assign("team"))
    assert rules.counts()["team"] == AssignmentCounts(direct=1, effective=1, only=0)
    assert rules.departure([("group", "team")]).leaving == set()


def test_filters_and_guests_of_the_draft_keep_people_out(company: Company) -> None:
    company.group("team")
    company.person("in", "team", properties={"department": "Engineering"})
    company.person("sales", "team", properties={"department": "Sales"})
    company.person("guest", "team", properties={"department": "Engineering", "userType": "Guest"})
    set_settings(actor=ACTOR, tenant=company.tenant, leave_out_guests=True)
    clause = {"attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": False}
    save_filter(actor=ACTOR, tenant=company.tenant, object_type="user", title="Engineers", clauses=[clause])
    rules = AssignmentEffects(company.assign("team"))
    assert rules.counts()["team"] == AssignmentCounts(direct=3, effective=3, only=1)
    assert rules.departure([("group", "team")]).leaving == {"in"}


def test_deleted_people_and_groups_count_nowhere(company: Company) -> None:
    company.group("gone", deleted="soft")
    company.group("team")
    company.person("left", "team", "gone", deleted="soft")
    company.person("here", "gone")
    counts = AssignmentEffects(company.assign("team", "gone")).counts()
    assert counts == {"team": AssignmentCounts(), "gone": AssignmentCounts()}


def test_the_number_of_queries_does_not_grow(company: Company) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            rules = AssignmentEffects(draft_or_current(company.tenant))
            rules.counts()
            rules.departure([("group", "g0")])
        return len(captured)

    company.group("g0")
    company.person("p0", "g0")
    company.assign("g0", nested=("g0",))
    few = queries()
    for n in range(1, 40):
        company.group(f"g{n}")
        company.person(f"p{n}", "g0", f"g{n}")
    company.assign(*(f"g{n}" for n in range(1, 40)))
    assert queries() == few


INSIDE = {"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": {"a"}}


def test_a_tree_shows_depth_loops_and_what_was_told_already() -> None:
    names = {key: key.upper() for key in "abcd"}
    shape = [(line.group_id, line.depth, line.loop, line.again) for line in assignment_effects.tree("a", INSIDE, names)]
    assert shape == [
        ("a", 0, False, False),
        ("b", 1, False, False),
        ("d", 2, False, False),
        ("a", 3, True, False),
        ("c", 1, False, False),
        ("d", 2, False, True),
    ]


def test_a_very_deep_tree_ends() -> None:
    chain: dict[str, set[str]] = {str(n): {str(n + 1)} for n in range(3000)}
    lines = assignment_effects.tree("0", chain, {})
    assert lines[-1].depth == 3000


def test_also_through_names_the_assigned_groups(admins_and_devs: Company) -> None:
    rules = AssignmentEffects(admins_and_devs.assign("admins", "devs", "ng", "mo", nested=("devs",)))
    through: Callable[[str], list[str]] = lambda who: rules.also_through([who]).get(who, [])  # noqa: E731
    assert through("ng") == ["admins", "devs"]
    assert through("mo") == ["devs"]
    assert through("nobody") == []
