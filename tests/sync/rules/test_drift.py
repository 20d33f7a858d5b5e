"""When AWS holds something else than what was written, and when it only spells it otherwise."""

from typing import Any

import pytest

from sync.rules.drift import differences
from sync.scim.resource import MANAGER

pytestmark = pytest.mark.pure


def differing(written: dict[str, Any], held: dict[str, Any]) -> set[str]:
    return set(differences(written, held, sorted({*written, *held})))


@pytest.mark.parametrize(
    ("unit", "written", "held"),
    [
        ("userName", "Anna@Acme.example", "anna@acme.example"),
        ("displayName", "Zoe\u0308", "Zo\u00eb"),
        ("displayName", " Anna ", "Anna"),
        ("active", True, "True"),
        ("emails", [{"value": "A@x.example", "type": "work", "primary": True}], [{"value": "a@x.example", "type": "work", "primary": True, "display": "A"}]),
        (MANAGER, {"value": "u1"}, {"value": "u1", "$ref": "../Users/u1", "displayName": "Bo"}),
        ("title", "", None),
    ],
)  # fmt: skip
def test_another_spelling_is_no_difference(unit: str, written: Any, held: Any) -> None:
    assert differing({unit: written}, {unit: held}) == set()


@pytest.mark.parametrize(
    ("unit", "written", "held"),
    [
        ("displayName", "Anna", "ANNA"),
        ("externalId", "a", "A"),
        ("active", False, True),
        ("title", "Clerk", None),
        ("title", "Clerk", "Chief"),
        ("emails", [{"value": "a@x.example", "type": "work", "primary": True}], [{"value": "b@x.example", "type": "work", "primary": True}]),
        ("emails", [{"value": "a@x.example"}], []),
        (MANAGER, {"value": "u1"}, {"value": "u2"}),
    ],
)  # fmt: skip
def test_another_value_is_a_difference(unit: str, written: Any, held: Any) -> None:
    assert differences({unit: written}, {unit: held}, [unit]) == {unit: {"written": written, "held": held}}


def test_what_is_not_mapped_is_not_looked_at() -> None:
    assert differences({"title": "Clerk"}, {"title": "Chief", "nickName": "Al"}, ["userName"]) == {}


def test_a_value_that_we_never_wrote_is_a_difference_where_we_map_it() -> None:
    assert differences({}, {"title": "Chief"}, ["title"]) == {"title": {"written": None, "held": "Chief"}}


def test_an_unknown_unit_is_written_anew_anyway() -> None:
    assert differences({"title": None}, {"title": "Chief"}, ["title"]) == {}


def test_what_aws_may_not_give_back_is_compared_only_when_it_does() -> None:
    assert differing({"profileUrl": "https://a.example"}, {}) == set()
    assert differing({"profileUrl": "https://a.example"}, {"profileUrl": "https://b.example"}) == {"profileUrl"}
