"""The supervisor of `up`, with children of a few lines each."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.programs import ROOT, Program, clean_environment, until

pytestmark = pytest.mark.process

# Each child says that it is there, then waits; the names tell how it takes a SIGTERM.
POLITE = "import signal; print('here', flush=True); signal.sigwait([signal.SIGTERM]); print('bye', flush=True)"
POLITE = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); " + POLITE
DEAF = "import signal, threading; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); threading.Event().wait()"
PARENT = (
    "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import threading; threading.Event().wait()']); "
    + DEAF
)
BRIEF = "print('here', flush=True)"
# Needs a second after SIGTERM to finish what it is at.
BUSY = (
    "import signal, time; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); print('here', flush=True); "
    "signal.sigwait([signal.SIGTERM]); print('asked', flush=True); time.sleep(1); print('finished', flush=True)"
)

SUPERVISE = """
import json, os, sys
from collections.abc import Iterator
from pathlib import Path
from portal.deployment import processes
from portal.deployment.processes import Child, Supervisor, say
processes.PATIENCE_SECONDS = 1
supervisor = Supervisor(say, Path.cwd())
for fact in json.loads(sys.argv[1]):
    code = fact.pop("code")
    supervisor.start(Child(arguments=[sys.executable, "-c", code], environment=os.environ, **fact))
supervisor.watch()
say("up", "stopping")
supervisor.stop()
say("up", "stopped")
"""


def supervise(*children: dict[str, object], prefix: tuple[str, ...] = (), output: int = subprocess.PIPE) -> Program:
    return Program([*prefix, sys.executable, "-c", SUPERVISE, json.dumps(children)], output=output)


def child(name: str, code: str, **facts: object) -> dict[str, object]:
    return {"name": name, "code": code, **facts}


def test_children_stop_in_the_reverse_of_the_order_they_started_in() -> None:
    with supervise(child("first", POLITE), child("second", POLITE), child("third", POLITE)) as program:
        for name in ("first", "second", "third"):
            program.line(rf"{name} *\| here")
        assert program.stop() == 0
        said = [line.split("|")[0].strip() for line in program.lines if line.endswith("| bye")]
        assert said == ["third", "second", "first"]
        assert program.alive() == []


@pytest.fixture
def nohup() -> Iterator[None]:
    """These tests run under nohup(1)."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("nohup")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_child_may_finish_what_it_is_at(number: int) -> None:
    with supervise(child("busy", BUSY)) as program:
        program.line("here")
        assert program.stop(number) == 0
        assert "busy   | finished" in program.lines


def test_the_same_signal_twice_at_once_is_one_request() -> None:
    with supervise(child("busy", BUSY)) as program:
        program.line("here")
        program.send(signal.SIGTERM)
        assert program.stop() == 0
        assert "busy   | finished" in program.lines


def test_a_second_signal_ends_a_deaf_child_but_waits_for_the_patient_one() -> None:
    with supervise(child("broker", BUSY, patient=True), child("worker", DEAF, grace=600)) as program:
        program.line("broker *. here")
        program.line("worker *. here")
        program.send(signal.SIGINT)
        program.line("Ctrl-C ends it at once")
        assert program.stop(signal.SIGINT) == 0
        assert "broker | finished" in program.lines
        assert program.alive() == []


def test_a_deaf_child_is_killed_after_its_grace_with_all_that_it_started() -> None:
    with supervise(child("deaf", PARENT, grace=0.5)) as program:
        program.line("here")
        until(lambda: len(program.alive()) == 3)
        assert program.stop() == 0
        assert program.alive() == []


def test_whatever_ends_starts_again_after_a_growing_pause() -> None:
    with supervise(child("brief", BRIEF)) as program:
        program.line("ended with 0; starts again in 1 s")
        program.line("ended with 0; starts again in 2 s")
        assert program.count("here") == 2
        assert program.stop() == 0


def test_no_orphan_stays_when_the_supervisor_is_killed() -> None:
    with supervise(child("one", POLITE), child("two", POLITE)) as program:
        program.line("one *. here")
        program.line("two *. here")
        program.stop(signal.SIGKILL)
        until(lambda: program.alive() == [])


def test_a_closed_terminal_stops_no_child(tmp_path: Path) -> None:
    talker = (
        "import sys, time; from pathlib import Path\n"
        "for n in range(3000): print('x' * 100, flush=True)\n"
        f"Path({str(tmp_path / 'done')!r}).touch(); time.sleep(600)"
    )
    read, write = os.pipe()
    os.close(read)
    with supervise(child("talker", talker), output=write) as program:
        os.close(write)
        until((tmp_path / "done").exists)
        assert program.process.poll() is None
        assert program.stop() == 0


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root for a process space of its own"
)
def test_it_runs_as_the_first_process_of_a_container() -> None:
    with supervise(child("polite", POLITE), prefix=("unshare", "--fork", "--pid", "--kill-child")) as program:
        program.line("here")
        inner = [pid for pid in program.alive() if pid != program.process.pid]
        os.kill(min(inner), signal.SIGTERM)
        assert program.ended() == 0
        assert "polite | bye" in program.lines


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root for file systems of its own")
def test_the_worker_uses_threads_where_shared_memory_cannot_be_written(tmp_path: Path) -> None:
    asked = "import django; django.setup(); from portal.deployment.embedded import worker_pool; print(worker_pool())"
    shell = 'mount -t tmpfs -o ro none /dev/shm && exec "$0" -c "$1"'
    environment = clean_environment(STATE_DIR=str(tmp_path), DJANGO_SETTINGS_MODULE="portal.settings")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", shell, sys.executable, asked],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "threads"
