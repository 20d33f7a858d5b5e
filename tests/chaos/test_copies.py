"""Real workers, beats and a broker that carries a task ten times: one run (table E: E1, E2)."""

import contextlib
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.world.prepared import NewState
from tests.world.programs import ROOT, until
from tests.world.up import Up

pytestmark = pytest.mark.process

TEN_COPIES = """
from sync.configuration import assignments, mappings
from sync.directory.live import Found
from sync.models import Run, Tenant
from sync.runs.requests import request_run
from sync.tasks import execute_run
tenant = Tenant.objects.get(slug="rehearsal")
mappings.apply_recommended(actor="chaos", tenant=tenant)
for row in tenant.configurations.get().assignments.all():
    assignments.unassign_object(actor="chaos", tenant=tenant, assignment=row)
assignments.assign_objects(actor="chaos", tenant=tenant, chosen=[Found("group", "{group}", "Copies", "", "")])
run = request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.PERSON, actor="chaos", confirmed=True)
for _ in range(10):
    execute_run.delay(run.pk)
print(run.pk)
"""


@pytest.mark.nightly
def test_two_workers_and_two_beats_carry_out_ten_copies_once(tmp_path: Path, new_state: NewState) -> None:
    with Up(new_state(tmp_path / "var"), "--demo") as up:
        people = [up.lab("POST", "entra/hire", {"displayName": f"Copy {n}"})["id"] for n in range(20)]
        group = up.lab("POST", "entra/groups", {"displayName": "Copies", "members": people})
        more = [another(up, tmp_path, "worker", "--concurrency", "2"), another(up, tmp_path, "beat")]
        try:
            run = int(up.manage("shell", "-c", TEN_COPIES.format(group=group["id"])).split()[-1])
            went = until(lambda: finished(up, run), 90)
        finally:
            for process in more:
                process.terminate()
                process.wait(30)
        # The workers ended what they had taken from the broker.
        assert went == finished(up, run) == ("completed", 1)
        ledger = up.lab("GET", "aws/ledger")
    posts = Counter(
        entry["request"]["displayName"] for entry in ledger if entry["method"] == "POST" and entry["applied"]
    )
    assert len(posts) == 21
    assert set(posts.values()) == {1}


def finished(up: Up, run: int) -> tuple[str, int] | None:
    """Straight from the file: a process that asks would take the workers' time."""
    database = sqlite3.connect(f"file:{up.state / 'lockstep.sqlite3'}?mode=ro", uri=True, timeout=20)
    with contextlib.closing(database):
        state, attempts = database.execute("SELECT state, attempts FROM sync_run WHERE id = ?", (run,)).fetchone()
    return (state, attempts) if state not in ("queued", "running") else None


def another(up: Up, folder: Path, role: str, *options: str) -> "subprocess.Popen[bytes]":
    """One more worker or beat beside those of `up`, on the same broker and database."""
    own = {"beat": ("--schedule", str(folder / "second-beat"), "--pidfile", "")}.get(role, ())
    command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "portal", role, *own, *options]
    with (folder / f"second-{role}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env=up.child_environment(), stdout=log, stderr=subprocess.STDOUT)
