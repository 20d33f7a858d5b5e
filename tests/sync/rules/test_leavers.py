"""Somebody who leaves: what each kind of mapping of `active` makes of it, and what is said before it is saved."""

from typing import Any

import pytest

from sync.rules.leavers import DISABLING, Leaving, active_rule, active_trace, disables, leavers_problem, staying
from sync.rules.mapping import compile_mappings
from sync.rules.rows import MappingRow

pytestmark = pytest.mark.pure

DIRECT = MappingRow("active", "direct", "accountEnabled")
SWITCHED = MappingRow("active", "expression", 'Switch([accountEnabled], "True", "False", "False")')
NOT = MappingRow("active", "expression", "Not([IsSoftDeleted])")
BOTH = MappingRow("active", "expression", 'IIF([IsSoftDeleted]="True","False",[accountEnabled])')
SALES = MappingRow("active", "expression", 'IIF([department]="Sales", "True", Not([IsSoftDeleted]))')
CONSTANT = MappingRow("active", "constant", "True")
NONE = MappingRow("active", "none", "", default="False")
ONCE = MappingRow("active", "expression", DISABLING.source, apply="create")
BROKEN = MappingRow("active", "expression", 'IIF([IsSoftDeleted]="True", Error("no"), "True")')

EVERY = tuple(Leaving)
UNASSIGNED = (Leaving.OUT_OF_SCOPE,)
CLERK = {"id": "1", "accountEnabled": True, "department": "Clerks"}


def stays(row: MappingRow, **properties: Any) -> tuple[Leaving, ...]:
    return staying(active_rule(compile_mappings([row])), CLERK | properties)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (DISABLING, ()),
        (NOT, ()),
        (BOTH, ()),
        # An account in the recycle bin counts as blocked.
        (DIRECT, UNASSIGNED),
        (SWITCHED, UNASSIGNED),
        (SALES, ()),
        (CONSTANT, EVERY),
        (NONE, EVERY),
        (ONCE, EVERY),
        (BROKEN, EVERY),
    ],
)
def test_how_somebody_could_leave_and_stay_active(row: MappingRow, expected: tuple[Leaving, ...]) -> None:
    assert stays(row) == expected


def test_without_a_row_everybody_stays() -> None:
    assert staying(None, CLERK) == EVERY


def test_a_condition_on_another_attribute_holds_for_whom_it_holds() -> None:
    assert stays(SALES, department="Sales") == EVERY


@pytest.mark.parametrize("how", list(Leaving))
def test_is_soft_deleted_is_true_however_somebody_leaves(how: Leaving) -> None:
    [rule] = compile_mappings([DISABLING])
    trace = active_trace(rule, CLERK, how)
    assert trace.inputs == {"IsSoftDeleted": "True"}
    assert disables(trace)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([DISABLING], ""),
        ([NOT], ""),
        ([BOTH], ""),
        ([], "leavers-stay"),
        ([CONSTANT], "leavers-stay"),
        ([NONE], "leavers-stay"),
        ([ONCE], "leavers-stay"),
        ([DIRECT], "unassigned-stay"),
        ([SWITCHED], "unassigned-stay"),
        ([SALES], "some-leavers-stay"),
    ],
)
def test_what_is_said_of_a_mapping_before_anybody_was_read(rows: list[MappingRow], code: str) -> None:
    found = leavers_problem(rows)
    assert (found.code if found else "") == code
    assert found is None or found.sentence


def test_a_real_person_shows_what_no_value_of_the_expression_does() -> None:
    rows = [MappingRow("active", "expression", 'IIF(IsPresent([employeeType]), "True", Not([IsSoftDeleted]))')]
    hidden = [MappingRow("active", "expression", 'IIF(Mid([jobTitle], 2, 3) = "ire", "True", Not([IsSoftDeleted]))')]
    assert leavers_problem(rows) is not None
    assert leavers_problem(hidden) is None
    found = leavers_problem(hidden, [CLERK | {"jobTitle": "Director"}])
    assert found is not None
    assert found.code == "some-leavers-stay"


def test_other_rows_say_nothing_about_leavers() -> None:
    assert leavers_problem([DISABLING, MappingRow("title", "constant", "True")]) is None
