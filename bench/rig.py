"""What the benchmarks share: a fresh lab, a fresh database, and each step in a process of its own.

A step's seconds, CPU and peak memory are those of its own process (threads included); requests are the lab's count.
"""

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.world.lab import Lab
from tools.postgres import postgres

KEY = "A" * 43 + "="


class Rig:
    """One lab and one database. `rate`: SCIM requests a second of the client."""

    def __init__(self, folder: Path, lab: Lab, rate: int, database: str | None) -> None:
        self.lab = lab
        state = folder / "state"
        state.mkdir(mode=0o700)
        self.environment = os.environ | {
            "STATE_DIR": str(state),
            "SECRET_KEY": "bench-" + "k" * 60,
            "SEAL_KEYS": f"bench:{KEY}",
            "BROKER_URL": "memory://",
            "EXTRA_CLOUDS": json.dumps(lab.clouds),
            "EXTRA_SCIM_HOSTS": json.dumps(lab.scim_hosts),
            "SCIM_RATE": str(rate),
            "LOG_LEVEL": "WARNING",
            "BENCH_LAB": json.dumps(lab.facts),
        }
        if database:
            self.environment["DATABASE_URL"] = database
        self.child("prepare")
        self.assign_every_group()

    def assign_every_group(self) -> None:
        groups = self.lab.call("GET", "entra/ids")["groups"]
        self.child("assign", text="\n".join(groups))

    def child(self, step: str, *arguments: str, text: str = "") -> dict[str, Any]:
        command = [sys.executable, str(ROOT / "bench" / "step.py"), step, *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, input=text, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{step} failed:\n{done.stdout}{done.stderr}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def measured(self, step: str, *arguments: str) -> dict[str, Any]:
        self.lab.forget_requests()
        self.lab.call("DELETE", "timings")
        found = self.child(step, *arguments)
        counts = self.lab.call("GET", "aws/counts")
        timings = self.lab.call("GET", "timings")
        requests = sum(counts.get(method, 0) for method in ("GET", "POST", "PATCH", "PUT", "DELETE"))
        lab = round(timings["graph_seconds"] + timings["aws_seconds"], 3)
        return {"scim_requests": requests, "throttled": counts["throttled"], **found, "lab_seconds": lab}


@contextlib.contextmanager
def rig(*options: str, rate: int = 100_000, database: str | None = None) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        path = Path(folder)
        with Lab(path / "lab", *options) as lab:
            yield Rig(path, lab, rate, database)


@contextlib.contextmanager
def database(kind: str) -> Iterator[str | None]:
    """None is SQLite in the state folder; a throw-away PostgreSQL as the tests use it."""
    if kind == "sqlite":
        yield None
        return
    with postgres() as url:
        if url is None:
            raise SystemExit("No PostgreSQL here: install Debian's postgresql, or set TEST_POSTGRES_URL.")
        yield url


def machine() -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def publish(result: dict[str, Any], out: str) -> None:
    """Where it is written to is no part of it."""
    workload = {name: value for name, value in result["workload"].items() if name != "out"}
    text = json.dumps(result | {"workload": workload}, indent=2)
    if out:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        Path(out).write_text(text + "\n")
    print(text)
