from collections.abc import Sequence
from typing import Any

from sync.rules.matching import Verdict, match

ADA = {"id": "1", "userName": "ada@corp.example"}


def finder(*resources: dict[str, Any]) -> Any:
    def find(attribute: str, value: str) -> Sequence[dict[str, Any]]:
        return [found for found in resources if found.get(attribute) == value]

    return find


def test_nothing_found_is_unmatched() -> None:
    assert match({"userName": "ada@corp.example"}, ["userName"], finder()).verdict is Verdict.UNMATCHED


def test_one_object_with_the_same_matching_value_matches() -> None:
    found = match({"userName": "ada@corp.example"}, ["userName"], finder(ADA))
    assert (found.verdict, found.resource) == (Verdict.MATCHED, ADA)


def test_the_first_matching_attribute_that_finds_something_decides() -> None:
    other = {"id": "2", "externalId": "x", "userName": "other"}
    values = {"userName": "ada@corp.example", "externalId": "x"}
    assert match(values, ["externalId", "userName"], finder(ADA, other)).resource == other
    assert match(values, ["userName", "externalId"], finder(ADA, other)).resource == ADA


def test_two_objects_with_the_value_are_a_conflict() -> None:
    twin = ADA | {"id": "2"}
    assert match({"userName": "ada@corp.example"}, ["userName"], finder(ADA, twin)).verdict is Verdict.TWO_MATCHES


def test_an_object_with_another_external_id_is_never_taken_over() -> None:
    foreign = ADA | {"externalId": "somebody-else"}
    values = {"userName": "ada@corp.example", "externalId": "ada-id"}
    assert match(values, ["userName"], finder(foreign)).verdict is Verdict.FOREIGN


def test_an_empty_matching_value_is_passed_over() -> None:
    assert match({"userName": ""}, ["userName"], finder({"id": "1", "userName": ""})).verdict is Verdict.UNMATCHED
