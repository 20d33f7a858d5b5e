"""What a test run took: tests and seconds per directory, the slowest twenty, and files over their budget."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

SLOWEST = 20
# Seconds a test may take on average over its file, by the longest beginning of its path that is named here.
BUDGETS = {
    "tests": 0.2,
    "tests/browser": 3.0,
    "tests/chaos": 15.0,
    "tests/faulted": 0.8,
    "tests/house": 5.0,
    "tests/journeys": 40.0,
    "tests/lab": 0.05,
    "tests/portal": 0.06,
    "tests/simulation": 40.0,
    "tests/sync/engine": 0.8,
}


@dataclass(frozen=True)
class Test:
    file: str
    name: str
    seconds: float


def report(results: Iterable[Path]) -> str:
    """`results`: pytest's files of JUnit's XML, one per pass."""
    tests = [test for result in results for test in tests_of(result)]
    lines = [f"{len(tests)} tests, {sum(test.seconds for test in tests):.0f} s of all workers.", ""]
    lines += [f"{seconds:7.1f} s {count:5} tests  {folder}" for folder, count, seconds in folders(tests)]
    slowest = sorted(tests, key=lambda test: -test.seconds)[:SLOWEST]
    lines += ["", f"The slowest {len(slowest)}:", *(f"{one.seconds:7.1f} s {one.file}::{one.name}" for one in slowest)]
    over = list(over_budget(tests))
    lines += ["", "Over budget:", *over] if over else []
    return "\n".join(lines)


def tests_of(result: Path) -> Iterator[Test]:
    for case in ElementTree.parse(result).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it
        yield Test(file_of(case), case.attrib["name"], float(case.attrib["time"]))


def file_of(case: ElementTree.Element) -> str:
    return case.attrib["classname"].replace(".", "/") + ".py"


def skipped(results: Iterable[Path]) -> Iterator[str]:
    """Each test that was not done, with its own reason."""
    for result in results:
        for case in ElementTree.parse(result).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it
            for found in case.iter("skipped"):
                yield f"{file_of(case)}::{case.attrib['name']}: {found.attrib['message']}"


def folders(tests: Iterable[Test]) -> list[tuple[str, int, float]]:
    """The one that took longest first."""
    found: dict[str, list[float]] = defaultdict(list)
    for test in tests:
        found[str(Path(test.file).parent)].append(test.seconds)
    rows = [(folder, len(seconds), sum(seconds)) for folder, seconds in found.items()]
    return sorted(rows, key=lambda row: -row[2])


def over_budget(tests: Iterable[Test]) -> Iterator[str]:
    files: dict[str, list[float]] = defaultdict(list)
    for test in tests:
        files[test.file].append(test.seconds)
    for file, seconds in sorted(files.items()):
        budget = budget_of(file)
        if (mean := sum(seconds) / len(seconds)) > budget:
            yield f"{mean:7.2f} s a test in {file} (budget {budget} s)"


def budget_of(file: str) -> float:
    return BUDGETS[max((start for start in BUDGETS if file.startswith(start)), key=len, default="tests")]
