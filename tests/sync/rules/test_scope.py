from sync.rules.filters import Clause, Filter, compiled
from sync.rules.scope import Gate, Path, Person, Reason, Scope, decide


def person(*paths: Path, enabled: bool = True, deleted: bool = False, stopped: Reason | None = None) -> Person:
    return Person("ada", enabled, deleted, {path[0]: path for path in paths}, stopped)


def test_a_person_assigned_directly_is_in_scope() -> None:
    assert decide(person(), {"ada"}) == Scope(True, Reason.ASSIGNED)


def test_a_member_of_an_assigned_group_is_in_scope_and_the_group_is_named() -> None:
    assert decide(person(("g2",)), set()) == Scope(True, Reason.THROUGH_GROUP, "g2", ("g2",))


def test_the_same_group_is_named_every_time_when_several_bring_a_person() -> None:
    assert decide(person(("g3",), ("g1",), ("g2",)), set()).through == "g1"


def test_a_member_of_a_group_inside_an_assigned_one_is_in_scope_with_the_way_to_it() -> None:
    path = ("outer", "middle", "inner")
    assert decide(person(path), set()) == Scope(True, Reason.THROUGH_NESTED_GROUP, "outer", path)


def test_the_shortest_way_is_named() -> None:
    scope = decide(person(("a", "b", "c"), ("z", "c")), set())
    assert (scope.reason, scope.through, scope.path) == (Reason.THROUGH_NESTED_GROUP, "z", ("z", "c"))
    assert decide(person(("a", "b"), ("y",)), set()).reason is Reason.THROUGH_GROUP


def test_nobody_is_in_scope_by_default() -> None:
    assert decide(person(), set()) == Scope(False, Reason.NOT_ASSIGNED)


def test_everybody_is_in_scope_when_all_people_are_chosen() -> None:
    assert decide(person(), set(), everybody=True) == Scope(True, Reason.EVERYBODY)
    assert decide(person(("g1",)), set(), everybody=True).reason is Reason.THROUGH_GROUP


def test_blocked_sign_in_takes_an_assigned_person_out_of_scope() -> None:
    assert decide(person(enabled=False), {"ada"}).reason is Reason.ACCOUNT_DISABLED
    assert decide(person(enabled=False), set(), everybody=True) == Scope(False, Reason.ACCOUNT_DISABLED)
    assert decide(person(("g1",), enabled=False), set()).through == "g1"


def test_blocked_sign_in_is_no_reason_for_a_person_whom_nothing_brings() -> None:
    assert decide(person(enabled=False), set()).reason is Reason.NOT_ASSIGNED


def test_a_deleted_person_is_out_of_scope_whatever_is_assigned() -> None:
    assert decide(person(deleted=True), {"ada"}, everybody=True) == Scope(False, Reason.DELETED)


def test_a_filter_takes_an_assigned_person_out_and_the_group_stays_named() -> None:
    outside = person(("g1",), stopped=Reason.OUTSIDE_FILTER)
    assert decide(outside, set()) == Scope(False, Reason.OUTSIDE_FILTER, "g1", ("g1",))
    assert decide(outside, set(), everybody=True).reason is Reason.OUTSIDE_FILTER
    assert decide(person(stopped=Reason.GUEST), {"ada"}) == Scope(False, Reason.GUEST)


def test_the_first_reason_is_named_deleted_not_assigned_filter_disabled() -> None:
    stopped = Reason.OUTSIDE_FILTER
    assert decide(person(deleted=True, stopped=stopped), {"ada"}).reason is Reason.DELETED
    assert decide(person(stopped=stopped), set()).reason is Reason.NOT_ASSIGNED
    assert decide(person(enabled=False, stopped=stopped), {"ada"}).reason is stopped


def test_a_gate_leaves_out_guests_only_when_it_is_told_to() -> None:
    assert Gate().stops({"userType": "Guest"}) is None
    assert Gate(leave_out_guests=True).stops({"userType": "Guest"}) is Reason.GUEST
    assert Gate(leave_out_guests=True).stops({"userType": "Member"}) is None


def test_a_gate_with_filters_stops_whom_none_lets_pass() -> None:
    gate = Gate(compiled([Filter("E", (Clause("department", "EQUALS", "Engineering"),))], "user"))
    assert gate.stops({"department": "Engineering"}) is None
    assert gate.stops({"department": "Sales"}) is Reason.OUTSIDE_FILTER
