from sync.scoping import Person, Reason, Scope, decide


def person(*, enabled: bool = True, deleted: bool = False, groups: frozenset[str] = frozenset()) -> Person:
    return Person("ada", enabled, deleted, groups)


def test_a_person_assigned_directly_is_in_scope() -> None:
    assert decide(person(), {"ada"}, set()) == Scope(True, Reason.ASSIGNED)


def test_a_member_of_an_assigned_group_is_in_scope_and_the_group_is_named() -> None:
    assert decide(person(groups=frozenset({"g1", "g2"})), set(), {"g2"}) == Scope(True, Reason.THROUGH_GROUP, "g2")


def test_the_same_group_is_named_every_time_when_several_bring_a_person() -> None:
    decision = decide(person(groups=frozenset({"g3", "g1", "g2"})), set(), {"g1", "g2", "g3"})
    assert decision.through == "g1"


def test_nobody_is_in_scope_by_default() -> None:
    assert decide(person(groups=frozenset({"g1"})), set(), set()) == Scope(False, Reason.NOT_ASSIGNED)


def test_blocked_sign_in_takes_an_assigned_person_out_of_scope() -> None:
    assert decide(person(enabled=False), {"ada"}, set()).reason is Reason.ACCOUNT_DISABLED


def test_a_deleted_person_is_out_of_scope_whatever_is_assigned() -> None:
    assert decide(person(deleted=True), {"ada"}, set()) == Scope(False, Reason.DELETED)
