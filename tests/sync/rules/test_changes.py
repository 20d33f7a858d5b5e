import pytest

from sync.rules.changes import (
    MANAGER,
    Change,
    Known,
    Stage,
    difference,
    matching_attributes,
    permitted,
    plan_group,
    plan_user,
    plan_user_out_of_scope,
    remove_members,
)

ADA = {"userName": "ada@corp.example", "displayName": "Ada", "active": True}
LINKED = Known("aws-1", ADA)


def test_a_person_without_a_link_is_created_with_every_unit() -> None:
    [create] = plan_user(Known(), ADA)
    assert (create.action, create.stage, create.desired) == ("create", Stage.PEOPLE, ADA)
    assert create.changes["displayName"] == {"before": None, "after": "Ada"}


def test_the_manager_is_written_after_everybody_was_created() -> None:
    create, manager = plan_user(Known(), ADA | {MANAGER: {"value": "grace"}})
    assert MANAGER not in create.desired
    assert (manager.stage, manager.desired) == (Stage.MANAGERS, {MANAGER: {"value": "grace"}})


def test_unchanged_values_plan_nothing() -> None:
    assert plan_user(LINKED, dict(ADA)) == []


def test_only_what_changed_is_written_with_before_and_after() -> None:
    [update] = plan_user(LINKED, ADA | {"displayName": "Ada Byron"})
    assert update.action == "update"
    assert update.desired == {"displayName": "Ada Byron"}
    assert update.changes == {"displayName": {"before": "Ada", "after": "Ada Byron"}}


def test_a_value_that_goes_away_is_removed() -> None:
    [update] = plan_user(Known("aws-1", ADA | {"title": "Clerk"}), ADA)
    assert update.desired == {"title": None}


def test_a_unit_whose_answer_got_lost_is_written_anew() -> None:
    [update] = plan_user(Known("aws-1", ADA | {"displayName": None}), ADA)
    assert update.desired == {"displayName": "Ada"}


def test_coming_back_enables_and_updates_in_one_request() -> None:
    [enable] = plan_user(Known("aws-1", ADA | {"active": False, "displayName": "Old"}), ADA)
    assert (enable.action, enable.stage) == ("enable", Stage.PEOPLE)
    assert enable.desired == {"active": True, "displayName": "Ada"}


def test_a_leaver_is_disabled_after_all_other_writing_and_nothing_else_is_touched() -> None:
    [disable] = plan_user_out_of_scope(LINKED, disable=True)
    assert (disable.action, disable.stage, disable.desired) == ("disable", Stage.REMOVALS, {"active": False})


def test_a_leaver_who_is_disabled_already_plans_nothing() -> None:
    assert plan_user_out_of_scope(Known("aws-1", ADA | {"active": False}), disable=True) == []


def test_without_a_mapping_for_active_nobody_is_disabled() -> None:
    assert plan_user_out_of_scope(LINKED, disable=False) == []


def test_a_matched_user_is_linked_and_only_differing_units_are_written() -> None:
    [link] = plan_user(Known("aws-1"), ADA, found={"userName": "ada@corp.example", "displayName": "A.", "title": "x"})
    assert (link.action, link.scim_id, link.desired) == ("link", "aws-1", ADA)
    assert {unit: change["after"] for unit, change in link.changes.items()} == {"displayName": "Ada", "active": True}


def test_a_new_group_carries_its_first_hundred_members_and_the_rest_follows_in_hundreds() -> None:
    members = [f"m{n:03}" for n in range(250)]
    create, *adds = plan_group(Known(), {"displayName": "Big"}, members, set())
    assert len(create.changes["members"]) == 100
    assert [len(add.changes["members"]) for add in adds] == [100, 50]
    assert {add.stage for add in adds} == {Stage.MEMBERSHIPS}


def test_a_rename_is_an_update_of_the_same_group() -> None:
    known = Known("aws-g", {"displayName": "Old", "externalId": "g"})
    [rename] = plan_group(known, {"displayName": "New", "externalId": "g"}, ["a"], {"a"})
    assert (rename.action, rename.scim_id, rename.desired) == ("update", "aws-g", {"displayName": "New"})


def test_only_missing_members_are_added() -> None:
    known = Known("aws-g", {"displayName": "G"})
    [add] = plan_group(known, {"displayName": "G"}, ["a", "b", "c"], {"b"})
    assert add.changes == {"members": ["a", "c"]}


def test_removals_come_last_in_hundreds() -> None:
    removals = remove_members(f"m{n}" for n in range(101))
    assert [len(change.changes["members"]) for change in removals] == [100, 1]
    assert {change.stage for change in removals} == {Stage.REMOVALS}


def test_difference_names_additions_changes_and_removals() -> None:
    assert difference({"a": 1, "b": 2}, {"b": 3, "c": 4}) == {"b": 3, "c": 4, "a": None}


def test_matching_attributes_follow_their_precedence() -> None:
    rules = [("externalId", 2), ("title", None), ("userName", 1)]
    assert matching_attributes(rules) == ["userName", "externalId"]


# Target actions

EVERYTHING = frozenset({"create", "update", "disable", "delete"})


def deeds(changes: list[Change], *off: str) -> list[tuple[str, list[str]]]:
    return [(one.action, sorted(one.changes)) for one in permitted(changes, EVERYTHING - set(off))]


WRITTEN = Known("aws-1", {"userName": "ada", "title": "Clerk", "active": True})


@pytest.mark.parametrize(
    ("changes", "off", "expected"),
    [
        (plan_user(Known(), {"userName": "ada", MANAGER: {"value": "m"}}), ["create"], []),
        (plan_user(Known(), {"userName": "ada", MANAGER: {"value": "m"}}), ["update", "disable", "delete"], [("create", ["userName"]), ("update", [MANAGER])]),
        (plan_user(WRITTEN, {"userName": "ada", "title": "Chief", "active": True}), ["update"], []),
        (plan_user(WRITTEN, {"userName": "ada", "title": "Chief", "active": True}), ["create", "disable", "delete"], [("update", ["title"])]),
        # A person in scope whose `active` turns false: by "disable"; the rest by "update".
        (plan_user(WRITTEN, {"userName": "ada", "title": "Chief", "active": False}), [], [("disable", ["active", "title"])]),
        (plan_user(WRITTEN, {"userName": "ada", "title": "Chief", "active": False}), ["disable"], [("update", ["title"])]),
        (plan_user(WRITTEN, {"userName": "ada", "title": "Chief", "active": False}), ["update"], [("disable", ["active"])]),
        (plan_user(WRITTEN, {"userName": "ada", "title": "Clerk", "active": False}), ["disable"], []),
        (plan_user_out_of_scope(WRITTEN, disable=True), ["disable"], []),
        (plan_user_out_of_scope(WRITTEN, disable=True), ["update"], [("disable", ["active"])]),
        (plan_user_out_of_scope(WRITTEN, disable=True, delete=True), ["delete"], []),
        # Linking is no update: the link is made, nothing is written.
        (plan_user(Known("aws-1"), {"userName": "ada", "title": "Chief"}, {"userName": "ada", "title": "Clerk"}), ["update"], [("link", [])]),
        (plan_user(Known("aws-1"), {"userName": "ada", "title": "Chief"}, {"userName": "ada", "title": "Clerk"}), ["create"], [("link", ["title"])]),
        (plan_group(Known("aws-1", {"displayName": "g"}), {"displayName": "h"}, ["m"], set()), ["update"], []),
        (remove_members(["m"]), ["update"], []),
    ],
)  # fmt: skip
def test_an_action_that_is_off_is_not_planned(
    changes: list[Change], off: list[str], expected: list[tuple[str, list[str]]]
) -> None:
    assert deeds(changes, *off) == expected
