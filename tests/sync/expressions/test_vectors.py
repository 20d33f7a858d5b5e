"""What expressions give, by function. `printed`: the pair or its exact rule stands in a Microsoft page."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sync.expressions import IGNORE, Result, evaluate, format, parse  # noqa: A004

pytestmark = pytest.mark.pure

SAMPLES = Path(__file__).parents[2] / "samples" / "expressions.json"
VECTORS = [vector for group in json.loads(SAMPLES.read_text(encoding="utf-8")).values() for vector in group]


def test_none_of_the_vectors_got_lost() -> None:
    assert len(VECTORS) == 115
    assert sum(vector["printed"] for vector in VECTORS) == 61


def outcome(source: str, vector: dict[str, Any]) -> Result:
    now = datetime.fromisoformat(vector["now"]) if "now" in vector else None
    return evaluate(parse(source), vector.get("attributes", {}), now=now)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["expression"])
def test_an_expression_gives(vector: dict[str, Any]) -> None:
    result = outcome(vector["expression"], vector)
    expected = IGNORE if vector.get("ignored") else vector["gives"]
    assert (type(result), result) == (type(expected), expected)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["expression"])
def test_its_saved_form_means_the_same_and_is_final(vector: dict[str, Any]) -> None:
    saved = format(parse(vector["expression"]))
    assert format(parse(saved)) == saved
    assert outcome(saved, vector) == outcome(vector["expression"], vector)
