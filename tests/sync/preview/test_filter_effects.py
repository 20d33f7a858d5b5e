"""What the rules of the draft do, beside those of the version: assignments, switches and filters together."""

from typing import Any

import pytest

from sync.configuration import assignments, versions
from sync.configuration.current import filter_titles
from sync.configuration.drafts import draft_or_current
from sync.configuration.filters import save_filter
from sync.configuration.settings import set_settings
from sync.directory.live import Found
from sync.models import DirectoryGroup, DirectoryMembership, DirectoryUser, Tenant
from sync.preview.queries.filter_effects import FilterEffects, search
from sync.rules.entra_attributes import ALWAYS_SELECTED

pytestmark = pytest.mark.both

ACTOR = "jo@acme.example"
OUTER, INNER = "1" * 36, "2" * 36


def person(tenant: Tenant, key: str, *groups: str, **properties: Any) -> DirectoryUser:
    facts = {"displayName": key.title(), "accountEnabled": True, "userType": "Member"} | properties
    row = DirectoryUser.objects.create(tenant=tenant, object_id=key, display_name=key.title(), properties=facts)
    for group in groups:
        DirectoryMembership.objects.create(tenant=tenant, group_id=group, member_id=key)
    return row


@pytest.fixture
def company(tenant: Tenant) -> Tenant:
    """Ada and the guest Gil in an assigned group, Ned in a group inside it, Eve outside, Bob blocked."""
    for key, name in ((OUTER, "AWS-Outer"), (INNER, "Inner")):
        DirectoryGroup.objects.create(tenant=tenant, object_id=key, display_name=name, properties={"displayName": name})
    DirectoryMembership.objects.create(tenant=tenant, group_id=OUTER, member_id=INNER, member_type="group")
    person(tenant, "ada", OUTER, department="Engineering")
    person(tenant, "gil", OUTER, department="Engineering", userType="Guest")
    person(tenant, "bob", OUTER, department="Sales", accountEnabled=False)
    person(tenant, "ned", INNER, department="Sales")
    person(tenant, "eve")
    select = [*ALWAYS_SELECTED["user"], "department", "|", *ALWAYS_SELECTED["group"], "|", "graph", "directory", "app"]
    Tenant.objects.filter(pk=tenant.pk).update(tracked_select=select)
    assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=[Found("group", OUTER, "AWS-Outer", "", "security")])
    versions.make_version(draft_or_current(tenant), actor=ACTOR)
    tenant.refresh_from_db()
    return tenant


def moving(look: FilterEffects) -> tuple[set[str], set[str]]:
    everyone = list(look.everyone())
    come = {one.object_id for one in everyone if one.now and not one.before}
    return come, {one.object_id for one in everyone if one.before and not one.now}


def engineers(tenant: Tenant) -> None:
    clause = {"attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": False}
    save_filter(actor=ACTOR, tenant=tenant, object_type="user", title="Engineers", clauses=[clause])


def test_without_a_draft_nothing_moves(company: Tenant) -> None:
    counts = FilterEffects(company, "user").counts()
    assert (counts.total, counts.passing, counts.come_in, counts.drop_out) == (3, 3, 0, 0)
    assert (counts.guests, counts.disabled) == (1, 1)


def test_nested_groups_and_all_people_bring_somebody_in(company: Tenant) -> None:
    row = draft_or_current(company).assignments.get()
    assignments.set_nested(actor=ACTOR, tenant=company, assignment=row, nested=True)
    assert moving(FilterEffects(company, "user")) == ({"ned"}, set())
    set_settings(actor=ACTOR, tenant=company, everybody=True)
    assert moving(FilterEffects(company, "user")) == ({"ned", "eve"}, set())


def test_whoever_is_no_longer_assigned_drops_out_though_the_draft_does_not_ask_them(company: Tenant) -> None:
    row = draft_or_current(company).assignments.get()
    assignments.unassign_object(actor=ACTOR, tenant=company, assignment=row)
    look = FilterEffects(company, "user")
    # Bob was out before: his sign-in is blocked.
    assert moving(look) == (set(), {"ada", "gil"})
    assert look.counts().total == 0


def test_the_switch_for_guests_and_a_filter_drop_whom_they_stop(company: Tenant) -> None:
    set_settings(actor=ACTOR, tenant=company, leave_out_guests=True)
    assert moving(FilterEffects(company, "user")) == (set(), {"gil"})
    engineers(company)
    counts = FilterEffects(company, "user").counts()
    assert (counts.total, counts.passing, counts.filters[0]) == (3, 1, 2)


def test_somebody_is_explained_under_both_sets_of_rules(company: Tenant) -> None:
    engineers(company)
    versions.make_version(draft_or_current(company), actor=ACTOR)
    assert filter_titles(company) == ["Engineers"]
    set_settings(actor=ACTOR, tenant=company, leave_out_guests=True)
    look = FilterEffects(company, "user")
    found = {key: look.test(key) for key in ("ada", "gil", "bob", "ned", "eve", "nobody")}
    words = {key: (one.passed, one.words, one.before) for key, one in found.items() if one}
    assert words == {
        "ada": (True, "Through a group", "Passes in version 2 by Engineers."),
        "gil": (False, "Guest left out", "Passes in version 2 by Engineers."),
        "bob": (False, "Outside scope: Engineers", "Not in scope in version 2: Outside scope: Engineers."),
        "ned": (False, "Not assigned", "Not in scope in version 2: Not assigned."),
        "eve": (False, "Not assigned", "Not in scope in version 2: Not assigned."),
    }


def test_a_group_that_only_brings_its_people_is_not_asked(company: Tenant) -> None:
    assert FilterEffects(company, "group").counts().total == 1
    row = draft_or_current(company).assignments.get()
    assignments.set_send_group(actor=ACTOR, tenant=company, assignment=row, send_group=False)
    look = FilterEffects(company, "group")
    assert look.counts().total == 0
    assert moving(look) == (set(), {OUTER})


def test_the_mirror_is_searched_by_name_and_by_id(company: Tenant) -> None:
    assert [str(one) for one in search(company, "user", "AD")] == ["Ada"]
    assert [str(one) for one in search(company, "group", "outer")] == ["AWS-Outer"]
    assert search(company, "user", "a") == []
