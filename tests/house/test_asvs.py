"""docs/asvs.csv: what of OWASP's ASVS 5.0.0 holds. Every row says so or why not, and every evidence is there."""

import ast
import csv
import functools
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
STATES = {"met", "partly", "not done", "not applicable", "not assessed"}
# Of the standard's requirements, by level.
NUMBERS = {"1": 70, "2": 183, "3": 92}
# Chapters of which the second level is complete too.
COMPLETE = {"V2", "V5", "V6", "V7", "V8", "V10", "V11", "V13", "V14", "V16"}

pytestmark = pytest.mark.pure

with (ROOT / "docs" / "asvs.csv").open(newline="") as file:
    ROWS = list(csv.DictReader(file))
EVIDENCE = sorted({one for row in ROWS for one in row["evidence"].split()})


@functools.cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_requirement_of_the_standard_has_one_row() -> None:
    assert Counter(row["level"] for row in ROWS) == NUMBERS
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert [row["id"] for row in ROWS if not re.fullmatch(r"V\d{1,2}\.\d{1,2}\.\d{1,2}", row["id"])] == []


def test_every_row_says_whether_it_holds_and_why_not() -> None:
    assert {row["status"] for row in ROWS} <= STATES
    assert [row["id"] for row in ROWS if not row["how"] and row["status"] != "not assessed"] == []
    assert [row["id"] for row in ROWS if not row["evidence"] and row["status"] in ("met", "partly")] == []


def test_the_first_level_and_the_named_chapters_are_assessed_as_a_whole() -> None:
    open_ones = [row for row in ROWS if row["status"] == "not assessed"]
    chapters = {row["id"] for row in open_ones if row["level"] == "2" and row["id"].partition(".")[0] in COMPLETE}
    assert chapters | {row["id"] for row in open_ones if row["level"] == "1"} == set()


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_the_evidence_is_there(evidence: str) -> None:
    path, _colons, name = evidence.partition("::")
    assert (ROOT / path).is_file()
    assert not name or name in names_in(path)
