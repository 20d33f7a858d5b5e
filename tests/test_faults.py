"""The fault table against the tests that are really collected."""

import json
import subprocess
import sys
from pathlib import Path

from tests.faults import FAULTS

ROOT = Path(__file__).parent.parent
MOST_NOT_OURS = 5
# Tests marked with a fault, as pytest itself collects them: one "id file::function" line each.
COLLECT = """
import json, sys
import pytest
class Marked:
    def pytest_collection_finish(self, session):
        rows = {(id, item.nodeid.partition("[")[0]) for item in session.items for mark in item.iter_markers("fault") for id in mark.args}
        print("ROWS " + json.dumps(sorted(rows)))
sys.exit(pytest.main(["--collect-only", "-q", "-m", "fault", *sys.argv[1:]], plugins=[Marked()]))
"""


def test_every_row_of_the_table_has_a_test_that_is_collected_or_a_reason() -> None:
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if "mark.fault(" in path.read_text()]
    command = [sys.executable, "-c", COLLECT, *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith("ROWS ")), None)
    assert line is not None, done.stdout + done.stderr
    collected = {(number, test) for number, test in json.loads(line.removeprefix("ROWS "))}
    listed = {(number, fault.test) for number, fault in FAULTS.items() if fault.test}
    assert listed <= collected
    assert {number for number, _test in collected} == {number for number, _test in listed}


def test_the_table_is_whole_and_few_rows_are_not_ours() -> None:
    assert list(FAULTS) == [*(f"B{n}" for n in range(1, 30)), *(f"C{n}" for n in range(1, 32))]
    reasons = [fault.not_ours for fault in FAULTS.values() if not fault.test]
    assert len(reasons) <= MOST_NOT_OURS
    assert all(len(reason) > 20 for reason in reasons)
