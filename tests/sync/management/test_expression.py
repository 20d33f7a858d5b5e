"""`manage.py expression` and `manage.py fuzz`."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sync.expressions import fuzzing

SAMPLES = Path(__file__).parents[2] / "samples" / "expressions.json"


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_an_expression_is_worked_out_and_printed_as_json() -> None:
    assert printed("expression", 'Join(" ", [a], [b])', "--input", '{"a": "Zoë", "b": "Lee"}') == '"Zoë Lee"\n'
    assert printed("expression", 'Split("a,b", ",")') == '["a", "b"]\n'
    assert printed("expression", "Coalesce([a])") == "null\n"
    assert printed("expression", "Now()", "--now", "2026-11-23T18:17:02Z") == '"11/23/2026 6:17:02 PM"\n'
    assert printed("expression", "IgnoreFlowIfNullOrEmpty([a])") == '"<IGNORE>"\n'


def test_what_no_mapping_may_have_is_worked_out_and_told() -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("expression", 'IIF(ToLower([a]) = "DE", 1, 2)', stdout=out, stderr=out)
    assert out.getvalue().startswith("2\nLine 1, column 18: ToLower never gives “DE”.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Jion([a])"], "Line 1, column 1: There is no function Jion"),
        (['CDate("soon")'], "Line 1, column 1: “soon” is not a date"),
        (["Now()", "--input", "{"], "--input is not JSON"),
        (["Now()", "--input", "[]"], "--input is not a JSON object"),
        (["Now()", "--now", "soon"], "--now is not a moment"),
        ([], "Give an expression, or --vectors"),
        (["Now()", "--vectors", "file.json"], "Give an expression, or --vectors"),
        (["--vectors", "/nowhere/file.json"], "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        printed("expression", *arguments)


def test_a_file_of_cases_is_checked() -> None:
    assert printed("expression", "--vectors", str(SAMPLES)) == "388 passed, 0 failed\n"


def bring(path: Path, content: Any) -> str:
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def test_a_case_that_fails_is_shown_and_the_exit_code_is_1(tmp_path: Path) -> None:
    cases = [
        {"id": "good", "expr": "ToUpper([a])", "input": {"a": "x"}, "expected": "X", "clock": None},
        {"id": "bad", "expr": "ToUpper([a])", "input": {"a": "x"}, "expected": "Y", "clock": None},
    ]
    out = io.StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("expression", "--vectors", bring(tmp_path / "cases.json", cases), stdout=out)
    assert caught.value.code == 1
    assert out.getvalue() == 'bad: ToUpper([a])\n  expected "Y"\n  got      "X"\n1 passed, 1 failed\n'


@pytest.mark.parametrize("content", [{}, [1], [{"id": "a"}]])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(CommandError, match="is not a list of objects"):
        printed("expression", "--vectors", bring(tmp_path / "cases.json", content))


def test_the_search_tells_what_it_did() -> None:
    lines = printed("fuzz", "expressions", "--programs", "50", "--seed", "3").splitlines()
    assert lines[0].startswith("50 programs (seed 3): ")


def test_a_fault_is_printed_and_the_exit_code_is_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_source: str) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(fuzzing, "parse", broken)
    out = io.StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("fuzz", "expressions", "--programs", "1", stdout=out, stderr=out)
    assert caught.value.code == 1
    assert "ValueError broken" in out.getvalue()
