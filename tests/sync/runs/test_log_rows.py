"""Every row of the log is found by its name, however it came there."""

import pytest
from django.db.models import Exists, OuterRef

from sync.models import LoggedName, Operation, Tenant
from sync.runs.log_rows import NAMED, remember_names
from tests.world.company import change_members, group_of, hire, people
from tests.world.lab import Lab
from tests.world.runs import new_run, operation
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


def unnamed() -> list[str]:
    same = LoggedName.objects.filter(**{name: OuterRef(name) for name in NAMED})
    return [str(row) for row in Operation.objects.exclude(Exists(same))]


def test_rows_of_people_groups_refusals_and_of_names_that_make_way_are_found(wired: Tenant, lab: Lab) -> None:
    first, second = people(lab, 2)
    nameless, team = hire(lab, "Madonna", surname=None), group_of(lab, "Team", [first, second])
    assign(wired, first, second, nameless, team)
    sync(wired)
    change_members(lab, team, remove=[second["id"]])
    # One of the two who swap their names has to be moved away first.
    for person, name in ((first, "away"), (second, first["userPrincipalName"]), (first, second["userPrincipalName"])):
        address = name if "@" in name else f"{name}@contoso.example"
        lab.call("PATCH", f"entra/users/{person['id']}", {"userPrincipalName": address, "mail": address})
    sync(wired)
    assert Operation.objects.filter(moves_key=True).count() > 1
    assert Operation.objects.filter(problem="missing-family-name").exists()
    assert set(Operation.objects.values_list("object_type", flat=True)) == {"user", "group", "membership"}
    assert unnamed() == []


def test_a_name_is_kept_once_however_often_it_is_logged(tenant: Tenant) -> None:
    run = new_run(tenant)
    rows = [operation(tenant, run) for _ in range(3)]
    remember_names(rows)
    rows[0].display_name = "Adele Vance"
    remember_names([rows[0]])
    assert sorted(LoggedName.objects.values_list("display_name", flat=True)) == ["Adele", "Adele Vance"]
