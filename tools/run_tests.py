"""All tests, each once on the database where it matters: PostgreSQL, as in production, or SQLite, which `up` brings.

--everywhere: all on SQLite and all that touches the database on PostgreSQL too, with many more generated examples and what
`nightly` marks; for a night, and before a release. Other arguments go to pytest, in one pass on SQLite. With CI set
nothing may be left out for want of PostgreSQL or a browser, and no test may skip itself.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.world.chromium import CHROMIUM
from tools.postgres import postgres
from tools.test_report import report, skipped

CI = bool(os.environ.get("CI"))
# More than processors: much of a test is waiting for processes, the lab or the browser. Of each test once, a quarter of
# the work is PostgreSQL's.
PROCESSORS = min(4, os.cpu_count() or 2)
MANY, FEW, HALF = PROCESSORS + 1, max(1, PROCESSORS // 2), PROCESSORS
# A file's tests share a lab. In the order of the tree, processes first: see tests/world/selection.py.
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
# What failed, and what passed the second time only.
TOLD = ("-rfER",)
# Where a whole run keeps its databases, labs and state folders, which nobody needs after it: a file system in memory.
MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # noqa: S108 - a folder of its own is made in it
ONCE, DATABASE, NIGHTLY = "--each-once", "--database-only", "--hypothesis-profile=nightly"


def main(arguments: list[str]) -> int:
    everywhere = arguments == ["--everywhere"]
    if arguments and not everywhere:
        return pytest(arguments, {})
    be_undisturbed()
    with scratch() as folder, postgres(folder) as url:
        missing = left_out(url)
        print(missing, end="", flush=True)
        passes = passes_of(url, everywhere=everywhere)
        results = [Path(folder) / f"{number}.xml" for number in range(len(passes))]
        codes = side_by_side(passes, results)
        written = [result for result in results if result.exists()]
        missing += "".join(f"Skipped: {line}.\n" for line in skipped(written))
        print(f"\n{report(written)}\n{missing}", end="", flush=True)
    return max(*codes, 1 if missing and CI else 0)


def be_undisturbed() -> None:
    """Nobody waits for one answer of these: what wakes up interrupts none of the others, which costs less (sched(7))."""
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


@contextlib.contextmanager
def scratch() -> Iterator[str]:
    """The folder for temporary files."""
    with tempfile.TemporaryDirectory(prefix="lockstep-", dir=MEMORY if in_memory() else None) as folder:
        # The server of PostgreSQL may run as another user.
        Path(folder).chmod(0o711)
        yield folder


def in_memory() -> bool:
    """A container has 64 MiB there, and may not start programs from it."""
    if not os.access(MEMORY, os.W_OK):
        return False
    return shutil.disk_usage(MEMORY).free > ROOM and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC


def left_out(url: str | None) -> str:
    wanting = []
    if url is None:
        wanting.append("PostgreSQL, all is passed on SQLite (install it, or set TEST_POSTGRES_URL)")
    if not CHROMIUM.exists():
        wanting.append(f"the tests in a browser (no Chromium at {CHROMIUM}; set CHROMIUM)")
    return f"Left out: {'; '.join(wanting)}.\n" if wanting else ""


@dataclass(frozen=True)
class Pass:
    database: str
    workers: int
    words: Sequence[str]
    environment: Mapping[str, str]


def passes_of(url: str | None, *, everywhere: bool) -> list[Pass]:
    nightly = [NIGHTLY] if everywhere else []
    if url is None:
        return [Pass("SQLite", MANY, nightly, {})]
    many, few = (HALF, HALF) if everywhere else (MANY, FEW)
    on_postgres = ["--migrations", DATABASE if everywhere else ONCE, *nightly]
    return [
        Pass("SQLite", many, nightly if everywhere else [ONCE], {}),
        Pass("PostgreSQL, made by its migrations", few, on_postgres, {"DATABASE_URL": url}),
    ]


def side_by_side(passes: Sequence[Pass], results: Sequence[Path]) -> list[int]:
    """The first is heard as it goes, what the others say is shown after it."""
    said = [result.with_suffix(".txt") for result in results[1:]]
    with ThreadPoolExecutor() as pool:
        codes = list(pool.map(one_pass, passes, results, [None, *said]))
    for one in said:
        print(one.read_text(), end="", flush=True)
    return codes


def one_pass(one: Pass, result: Path, said: Path | None) -> int:
    """What its tests make is kept beside the result. `said`: the file for what it says."""
    words = ["-n", str(one.workers), *BY_FILE, *TOLD, f"--junitxml={result}", *one.words]
    with said.open("w") if said else contextlib.nullcontext() as out:
        print(f"\nOn {one.database}:", file=out, flush=True)
        return pytest(words, {**one.environment, "TMPDIR": str(result.parent)}, out)


def pytest(arguments: Sequence[str], environment: Mapping[str, str], out: IO[str] | None = None) -> int:
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    whole = {**os.environ, **environment}
    # Hundreds of processes read the same modules: whatever the caller wants, they are compiled once.
    whole.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(command, cwd=ROOT, env=whole, stdout=out, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
