"""Whose change a held removal comes of: the people behind the versions that a run is the first to follow."""

from dataclasses import replace

import pytest

from sync import audit
from sync.configuration import assignments, mappings, versions
from sync.models import HeldChange, Run, Tenant
from tests.world.company import group_of, leave, people
from tests.world.kept import Begun, Kept
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)
RAVI, CLEO = "ravi@acme.example", "cleo@acme.example"


def a_team_in_aws(tenant: Tenant, lab: Lab) -> list[dict[str, str]]:
    """Twelve people, by a group that is assigned."""
    some = people(lab, 12)
    assign(tenant, group_of(lab, "Guarded", some))
    sync(tenant)
    return some


@pytest.fixture
def begun(kept: Kept) -> Begun:
    return kept(a_team_in_aws)


@pytest.fixture
def acme(begun: Begun) -> Tenant:
    return begun.tenant


@pytest.fixture
def team(begun: Begun) -> list[dict[str, str]]:
    return list(begun.facts)


def unassign(tenant: Tenant) -> None:
    """Edited by Cleo, published by Ravi."""
    row = tenant.configurations.current().assignments.get()
    assignments.unassign_objects(actor=CLEO, tenant=tenant, keys=[(row.object_type, row.object_id)])
    draft = tenant.configurations.draft()
    assert draft is not None
    versions.make_version(draft, actor=RAVI)


def causers() -> set[tuple[str, ...]]:
    return {tuple(change.caused_by) for change in HeldChange.objects.open()}


def test_of_a_group_that_was_unassigned_those_who_edited_and_published_it(
    acme: Tenant, team: list[dict[str, str]]
) -> None:
    unassign(acme)
    sync(acme)
    assert HeldChange.objects.open().count() >= len(team)
    assert causers() == {(CLEO, RAVI)}


def test_of_those_who_left_in_entra_nobody(acme: Tenant, lab: Lab, team: list[dict[str, str]]) -> None:
    leave(lab, *team[:5])
    sync(acme)
    assert causers() == {()}


def test_of_those_who_left_in_entra_nobody_though_a_new_version_is_followed(
    acme: Tenant, lab: Lab, team: list[dict[str, str]]
) -> None:
    leave(lab, team[0])
    unassign(acme)
    sync(acme)
    assert HeldChange.objects.get(object_id=team[0]["id"], object_type="user").caused_by == []
    assert HeldChange.objects.get(object_id=team[1]["id"], object_type="user").caused_by == [CLEO, RAVI]


def test_it_stays_theirs_in_every_later_run(acme: Tenant, team: list[dict[str, str]]) -> None:
    unassign(acme)
    sync(acme)
    sync(acme)
    assert causers() == {(CLEO, RAVI)}


def test_of_what_leaves_after_a_run_has_followed_the_version_nobody(
    acme: Tenant, lab: Lab, team: list[dict[str, str]]
) -> None:
    assign(acme, group_of(lab, "Others", people(lab, 13)[12:]))
    sync(acme)
    leave(lab, *team[:5])
    sync(acme)
    assert causers() == {()}


def test_a_run_that_failed_has_followed_nothing(acme: Tenant, team: list[dict[str, str]]) -> None:
    unassign(acme)
    Run.objects.create(
        tenant=acme, number=90, kind="changes", trigger="schedule", state="failed", configuration=acme.configurations.current()
    )  # fmt: skip
    Tenant.objects.update(last_run_number=90)
    sync(acme)
    assert causers() == {(CLEO, RAVI)}
    assert ACTOR not in {CLEO, RAVI}


def test_of_a_mapping_that_turns_people_off_those_who_edited_and_published_it(
    acme: Tenant, team: list[dict[str, str]]
) -> None:
    """Nobody left the scope: the row of `active` alone disables them."""
    row = acme.configurations.current().mappings.get(object_type="user", target="active")
    rule = replace(row.rule(), kind="constant", source="False")
    mappings.save_mapping(actor=CLEO, tenant=acme, object_type="user", rule=rule, row=row)
    draft = acme.configurations.draft()
    assert draft is not None
    versions.make_version(draft, actor=RAVI)
    sync(acme, Run.Kind.FULL)
    assert HeldChange.objects.open().filter(action="disable").count() >= len(team)
    assert causers() == {(CLEO, RAVI)}


def test_of_another_directory_whoever_has_it_read(acme: Tenant, lab: Lab, team: list[dict[str, str]]) -> None:
    """Everybody is missing there, and the shrunken reading was accepted: Entra says so, of a directory that Cleo chose."""
    audit.record(
        CLEO,
        "connection.entra.save",
        acme.entra,
        {"directory_id": "before"},
        {"directory_id": "after", "cloud": "lab"},
    )
    leave(lab, *team[:5])
    sync(acme)
    assert causers() == {(CLEO,)}
    sync(acme)
    assert causers() == {(CLEO,)}


def test_of_another_credential_for_the_same_directory_nobody(
    acme: Tenant, lab: Lab, team: list[dict[str, str]]
) -> None:
    audit.record(CLEO, "connection.entra.save", acme.entra, {}, {"credential": "changed"})
    leave(lab, *team[:5])
    sync(acme)
    assert causers() == {()}
