"""Values that clash in AWS have equal keys."""

import pytest

from sync.rules.unique_keys import Keys, exact_key, key, keys_of

pytestmark = pytest.mark.pure


def test_a_person_has_three_keys_and_a_group_two() -> None:
    person = {"userName": "Anna@X.y", "emails": [{"value": "A@x.y", "primary": True}], "externalId": "E-1"}
    assert keys_of("user", person) == Keys("anna@x.y", "a@x.y", "E-1")
    assert keys_of("group", {"displayName": "Admins", "externalId": "g"}) == Keys("admins", "", "g")


@pytest.mark.parametrize("units", [{}, {"userName": None, "emails": None, "externalId": ""}, {"emails": [{}]}])
def test_what_is_missing_or_unknown_claims_nothing(units: dict[str, object]) -> None:
    assert keys_of("user", units) == Keys()


@pytest.mark.parametrize(("one", "other"), [("Ann\u00e9", "ANNE\u0301"), ("stra\u00dfe", "STRASSE")])
def test_case_and_composition_make_no_difference(one: str, other: str) -> None:
    assert key(one) == key(other)


def test_an_external_id_is_compared_exactly() -> None:
    assert exact_key("6C1D") != exact_key("6c1d")
    assert exact_key("a" * 201) != exact_key("A" * 201)
    assert keys_of("group", {"externalId": "G"}) != keys_of("group", {"externalId": "g"})


def test_a_long_value_is_hashed_and_still_told_apart() -> None:
    assert len(key("a" * 201)) == 64
    assert key("a" * 201) == key("A" * 201) != key("a" * 202)
    assert key("a" * 200) == "a" * 200
