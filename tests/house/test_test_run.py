"""What the test run takes, says and leaves out."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from tools import run_tests, test_report

pytestmark = pytest.mark.pure

RESULT = """<testsuites><testsuite>
<testcase classname="tests.portal.runs.test_pages" name="test_quick" time="0.01"/>
<testcase classname="tests.sync.engine.test_counts" name="test_slow[1]" time="9.0"/>
<testcase classname="tests.sync.engine.test_counts" name="test_quick" time="0.5"/>
</testsuite></testsuites>"""


@pytest.fixture
def result(tmp_path: Path) -> Path:
    path = tmp_path / "0.xml"
    path.write_text(RESULT)
    return path


def test_it_counts_tests_and_seconds_by_folder_and_names_the_slowest(result: Path) -> None:
    lines = test_report.report([result]).splitlines()
    assert lines[0] == "3 tests, 10 s of all workers."
    assert lines[2:4] == ["    9.5 s     2 tests  tests/sync/engine", "    0.0 s     1 tests  tests/portal/runs"]
    assert "    9.0 s tests/sync/engine/test_counts.py::test_slow[1]" in lines


def test_a_file_over_its_budget_is_named(result: Path) -> None:
    budget = test_report.budget_of("tests/sync/engine/test_counts.py")
    over = test_report.report([result]).partition("Over budget:\n")[2]
    assert over == f"   4.75 s a test in tests/sync/engine/test_counts.py (budget {budget} s)"


def test_the_longest_beginning_of_a_path_gives_the_budget() -> None:
    assert test_report.budget_of("tests/portal/runs/test_pages.py") == test_report.BUDGETS["tests/portal"]
    assert test_report.budget_of("tests/test_imports.py") == test_report.BUDGETS["tests"]


def test_a_test_that_skipped_itself_is_named_with_its_reason(result: Path) -> None:
    assert list(test_report.skipped([result])) == []
    reason = '<skipped type="pytest.skip" message="no such program"/>'
    result.write_text(RESULT.replace('time="0.5"/>', f'time="0.5">{reason}</testcase>'))
    assert list(test_report.skipped([result])) == ["tests/sync/engine/test_counts.py::test_quick: no such program"]


@pytest.mark.parametrize(("ci", "code"), [(True, 1), (False, 0)])
def test_where_nothing_may_be_left_out_a_skipped_test_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: bool, code: int
) -> None:
    def passed(_one: run_tests.Pass, result: Path, said: Path | None) -> int:
        result.write_text(RESULT.replace('time="9.0"/>', 'time="9.0"><skipped message="why"/></testcase>'))
        if said:
            said.write_text("On PostgreSQL: 3 passed\n")
        return 0

    monkeypatch.setattr(run_tests, "postgres", lambda _folder: nullcontext("postgresql://x"))
    monkeypatch.setattr(run_tests, "left_out", lambda _url: "")
    monkeypatch.setattr(run_tests, "one_pass", passed)
    monkeypatch.setattr(run_tests, "CI", ci)
    assert run_tests.main([]) == code
    out = capsys.readouterr().out
    assert "Skipped: tests/sync/engine/test_counts.py::test_slow[1]: why.\n" in out
    assert out.startswith("On PostgreSQL: 3 passed\n")


def test_each_test_runs_once_and_everywhere_means_on_both() -> None:
    once = run_tests.passes_of("postgresql://x", everywhere=False)
    assert [one.words for one in once] == [["--each-once"], ["--migrations", "--each-once"]]
    assert once[1].environment == {"DATABASE_URL": "postgresql://x"}
    every = run_tests.passes_of("postgresql://x", everywhere=True)
    assert "--each-once" not in every[0].words
    assert "--database-only" in every[1].words


def test_a_bare_machine_passes_everything_on_sqlite_and_says_in_one_line_what_it_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run_tests, "CHROMIUM", tmp_path / "chromium")
    assert [(one.database, one.words) for one in run_tests.passes_of(None, everywhere=False)] == [("SQLite", [])]
    said = run_tests.left_out(None)
    assert said.count("\n") == 1
    assert "PostgreSQL" in said
    assert f"no Chromium at {tmp_path / 'chromium'}" in said


def test_nothing_is_left_out_where_both_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run_tests, "CHROMIUM", tmp_path)
    assert run_tests.left_out("postgresql://x") == ""
