"""What expressions give. `doc`: the pair or its exact rule stands in a Microsoft page; `derived`: it follows from one."""

import json
from pathlib import Path
from typing import Any

import pytest

from sync.expressions import FUNCTIONS, format, parse  # noqa: A004
from sync.expressions.vectors import VectorDifference, differences, outcome

pytestmark = pytest.mark.pure

SAMPLES = Path(__file__).parents[2] / "samples" / "expressions.json"
VECTORS: list[dict[str, Any]] = json.loads(SAMPLES.read_text(encoding="utf-8"))


def test_none_of_the_vectors_got_lost() -> None:
    assert len(VECTORS) == 388
    assert sum(vector["tag"] == "doc" for vector in VECTORS) == 127
    assert sum(vector["id"].startswith("printed-wrong") for vector in VECTORS) == 8
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)


def test_every_function_with_a_steady_result_has_vectors() -> None:
    used = {name.lower() for vector in VECTORS for name in parse(vector["expr"]).functions}
    assert {name for name in FUNCTIONS if name not in used} == {"guid", "randomstring"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_an_expression_gives(vector: dict[str, Any]) -> None:
    assert list(differences([vector])) == []


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_its_saved_form_means_the_same_and_is_final(vector: dict[str, Any]) -> None:
    saved = format(parse(vector["expr"]))
    assert format(parse(saved)) == saved
    assert list(differences([{**vector, "expr": saved}])) == []


def test_a_difference_of_value_or_kind_is_found() -> None:
    wrong = {"id": "a", "expr": "Count([x])", "input": {"x": ["y"]}, "expected": "1", "clock": None}
    assert list(differences([wrong])) == [VectorDifference("a", "Count([x])", "1", 1)]
    assert list(differences([{**wrong, "expected": True}])) != []
    assert list(differences([{**wrong, "expected": 1}])) == []


def test_an_expression_that_cannot_be_read_is_a_difference() -> None:
    [found] = differences([{"id": "a", "expr": "Jion()", "expected": ""}])
    assert str(found.got).startswith("error: Line 1, column 1")


def test_an_ignored_object_is_shown_as_one() -> None:
    assert outcome(parse('IIF([a] = "", IgnoreObjectFlow, [a])'), {}, None) == "<IGNORE OBJECT>"
