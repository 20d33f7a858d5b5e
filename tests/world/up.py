"""`manage.py up` as a process: the real web server, worker, beat, broker and lab."""

import contextlib
import json
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import requests

from tests.world.programs import ROOT, as_from_a_terminal, clean_environment, free_port, until


class Up:
    def __init__(self, state: Path, *options: str, **environment: str) -> None:
        self.state = state
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.log = state.parent / f"{state.name}.log"
        self.environment = clean_environment(**environment)
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "up",
                    "--state",
                    str(state),
                    "--bind",
                    f"127.0.0.1:{self.port}",
                    *options,
                ],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                preexec_fn=as_from_a_terminal,  # noqa: PLW1509 - calls the kernel, imports nothing
            )
        self.session = requests.Session()
        self.session.trust_env = False

    def __enter__(self) -> Self:
        until(lambda: "Lockstep is ready" in self.said() or self.process.poll() is not None, 300)
        assert self.process.poll() is None, self.said()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        if self.process.poll() is None:
            self.stop()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def said(self) -> str:
        return self.log.read_text()

    @property
    def code(self) -> str:
        """The one-time code of the first Owner, as the terminal shows it."""
        found = re.search(r"One-time code:\s+(\S+)", self.said())
        assert found
        return found[1]

    @property
    def console(self) -> str:
        found = re.search(r"Rehearsal lab:\s+(\S+)", self.said())
        assert found
        return found[1]

    def lab(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.console}api/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    @property
    def lab_facts(self) -> dict[str, Any]:
        """What an admin would copy from Microsoft's and Amazon's consoles."""
        with contextlib.closing(sqlite3.connect(self.state / "lab" / "entra.sqlite3")) as entra:
            facts = dict(entra.execute("SELECT name, value FROM facts"))
        with contextlib.closing(sqlite3.connect(self.state / "lab" / "aws.sqlite3")) as aws:
            facts["token"] = aws.execute("SELECT secret FROM tokens ORDER BY created DESC").fetchone()[0]
            facts["tenant_id"] = dict(aws.execute("SELECT name, value FROM facts"))["tenant_id"]
        facts["host"] = next(iter(json.loads(self.child_environment()["EXTRA_SCIM_HOSTS"])))
        return facts

    def manage(self, *arguments: str, text: str | None = None) -> str:
        """A command of manage.py in the same state, with the same secrets and hosts."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.child_environment(),
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def child_environment(self) -> dict[str, str]:
        """What `up` gave its worker: read where the kernel keeps it."""
        raw = Path(f"/proc/{self.pids('celery')[0]}/environ").read_bytes()
        return dict(item.split("=", 1) for item in raw.decode().split("\0") if "=" in item)

    def pids(self, word: str) -> list[int]:
        """Processes of this `up` whose command line has the word, oldest first."""
        return sorted(pid for pid, line in family(self.process.pid) if word in line)


def family(root: int) -> list[tuple[int, str]]:
    """All descendants of a process with their command lines."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            lines[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            # It ended while we looked.
            continue
        if fields[0] != "Z":
            parents[int(folder.name)] = int(fields[1])
    found, todo = [], [root]
    while todo:
        parent = todo.pop()
        children = [pid for pid, of in parents.items() if of == parent]
        found += [(pid, lines[pid]) for pid in children]
        todo += children
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
