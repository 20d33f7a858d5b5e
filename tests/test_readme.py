"""What the README says of measurements is what bench/results holds."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_table_of_measured_runs_is_generated_from_the_results() -> None:
    command = [sys.executable, "tools/bench_table.py", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0, "run tools/bench_table.py"


def test_three_runs_of_the_benchmark_are_kept_with_machine_and_commit() -> None:
    assert len(list((ROOT / "bench" / "results").glob("sync-*.json"))) == 3
