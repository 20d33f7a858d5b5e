"""A small supervisor: starts processes in order, restarts what ends, stops in order, leaves no orphan."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

PR_SET_PDEATHSIG = 1
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# A process that lived this long begins again with the first pause.
STEADY_SECONDS = 60


def end_with_parent() -> None:
    """In the child, before exec: the kernel sends SIGTERM when the supervisor dies, however it dies (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:
        os._exit(1)


@dataclass
class Child:
    """`grace`: seconds between SIGTERM and SIGKILL. `patient`: a second signal of the user does not kill it."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    grace: float = 10.0
    patient: bool = False
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    due_at: float = 0.0
    lines: list[str] = field(default_factory=list)

    def start(self, say: Callable[[str, str], None], first_line: threading.Event | None = None) -> None:
        self.process = subprocess.Popen(
            self.arguments,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Its own session: Ctrl-C in the terminal reaches the supervisor alone.
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - started from the only thread that runs Python here
        )
        self.started_at = time.monotonic()
        threading.Thread(target=self._read, args=(self.process, say, first_line), daemon=True).start()

    def _read(
        self, process: subprocess.Popen[str], say: Callable[[str, str], None], first_line: threading.Event | None
    ) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if first_line is not None and not first_line.is_set():
                self.lines.append(line)
                first_line.set()
                continue
            say(self.name, line.rstrip("\n"))
        if first_line is not None:
            first_line.set()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        if self.process is not None and self.running:
            self.process.send_signal(number)

    def kill_all(self) -> None:
        """The process and what it started: they share its session."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return


class Supervisor:
    """Starts children in the order given, and stops them in the reverse."""

    def __init__(self, say: Callable[[str, str], None]) -> None:
        self.say = say
        self.children: list[Child] = []
        self.signals = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: object) -> None:
        self.signals += 1

    @property
    def stopping(self) -> bool:
        return self.signals > 0

    def start(self, child: Child, first_line: threading.Event | None = None) -> None:
        child.start(self.say, first_line)
        self.children.append(child)

    def watch(self) -> None:
        """Until a signal comes: whatever ended is started again, after a pause that doubles."""
        while not self.stopping:
            for child in self.children:
                if not child.running:
                    self._restart(child)
            time.sleep(0.2)

    def _restart(self, child: Child) -> None:
        now = time.monotonic()
        if not child.due_at:
            if now - child.started_at > STEADY_SECONDS:
                child.pause = FIRST_PAUSE
            code = child.process.returncode if child.process else None
            self.say(child.name, f"ended with {code}; starts again in {child.pause:.0f} s")
            child.kill_all()
            child.due_at = now + child.pause
            child.pause = min(LONGEST_PAUSE, child.pause * 2)
        elif now >= child.due_at:
            child.due_at = 0.0
            child.start(self.say)

    def stop(self) -> None:
        """One after another, the last first: nobody takes new work while somebody still finishes his."""
        for child in reversed(self.children):
            self._stop(child)

    def _stop(self, child: Child) -> None:
        child.signal(signal.SIGTERM)
        began, seen = time.monotonic(), self.signals
        while child.running and time.monotonic() - began < child.grace:
            if self.signals > seen and not child.patient:
                break
            time.sleep(0.05)
        child.kill_all()
        if child.process is not None:
            child.process.wait()


def say(name: str, line: str) -> None:
    sys.stdout.write(f"{name:<7}| {line}\n")
    sys.stdout.flush()
