"""Programs as real processes: their lines as they come, and whoever of them is still alive."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent.parent
MARK = "LOCKSTEP_TEST_MARK"


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Polls for what another thread or process does; fails when it does not happen."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"did not happen within {seconds:.0f} s"
        time.sleep(0.03)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**extra: str) -> dict[str, str]:
    """The caller's, without what the test settings put there."""
    ours = {"STATE_DIR", "SECRET_KEY", "SEAL_KEYS", "BROKER_URL", "DATABASE_URL"}
    ours |= {"DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return {name: value for name, value in os.environ.items() if name not in ours} | extra


def lint(*words: str) -> tuple[int, str]:
    """The exit code and the words of a linter that a locked package brings, called in the project's folder."""
    command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def as_from_a_terminal() -> None:
    """In the child, before exec: whatever the caller does with signals, such as nohup(1), which ignores one of them."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


class Program:
    """A process of its own session; every process that it starts, however deep, bears its mark in the environment."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: dict[str, str] | None = None,
        folder: Path = ROOT,
        output: int = subprocess.PIPE,
    ) -> None:
        self.mark = uuid.uuid4().hex
        self.lines: list[str] = []
        self.news = threading.Condition()
        self.process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=(clean_environment() if environment is None else environment) | {MARK: self.mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=as_from_a_terminal,  # noqa: PLW1509 - calls the kernel, imports nothing
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        if self.process.stdout is None:
            return
        with self.process.stdout as output:
            for line in output:
                with self.news:
                    self.lines.append(line.rstrip("\n"))
                    self.news.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.alive():
            os.kill(process, signal.SIGKILL)
        self.process.wait()
        self.reader.join(10)

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def line(self, pattern: str, seconds: float = 60) -> str:
        """The first line that matches, now or later; the match's first group where there is one."""
        with self.news:
            assert self.news.wait_for(lambda: self._found(pattern) is not None, seconds), self.output
        found = self._found(pattern)
        assert found
        return found.group(1) if found.groups() else found.group()

    def _found(self, pattern: str) -> re.Match[str] | None:
        return next((found for line in self.lines if (found := re.search(pattern, line))), None)

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, line)) for line in self.lines)

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self, seconds: float = 60) -> int:
        """Its exit code, after its last line was read."""
        code = self.process.wait(seconds)
        self.reader.join(10)
        return code

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60) -> int:
        self.send(number)
        return self.ended(seconds)

    @staticmethod
    def kill(process: int) -> None:
        os.kill(process, signal.SIGKILL)

    def alive(self) -> list[int]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                marked = f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes()
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if marked and state != "Z":
                found.append(int(folder.name))
        return found
