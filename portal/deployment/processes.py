"""A small supervisor: starts processes in order, restarts what ends, stops in order, leaves no orphan."""

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Looked up here: nothing may be loaded between fork and exec.
PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# A process that lived this long begins again with the first pause.
STEADY_SECONDS = 60
# So long a stop may take before it is worth a word.
PATIENCE_SECONDS = 8
# Wrappers send the same signal twice at once (to the process, and to its group); a person needs longer.
SAME_SIGNAL_SECONDS = 0.5

Say = Callable[[str, str], None]


class StopRequested(Exception):
    """A signal came before everything had started."""


class CannotStart(Exception):
    """A process ended, or kept silent for too long, instead of becoming ready."""


def end_with(parent: int) -> None:
    """In the child, before exec: the kernel sends SIGTERM when the supervisor dies, however it dies (prctl(2))."""
    if PRCTL is not None:
        PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def spawn(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, kept_open: Sequence[int], *, quiet: bool
) -> subprocess.Popen[str]:
    """`quiet`: reads nothing, and writes into a pipe; else it takes standard input from a pipe and prints for itself."""
    return subprocess.Popen(
        arguments,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL if quiet else subprocess.PIPE,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        errors="replace",
        pass_fds=kept_open,
        # Its own session: Ctrl-C in the terminal reaches the supervisor alone.
        start_new_session=True,
        preexec_fn=functools.partial(end_with, os.getpid()),  # noqa: PLW1509 - calls the kernel, imports nothing
    )


@dataclass
class Child:
    """`grace`: seconds between SIGTERM and SIGKILL. `patient`: a second signal of the user does not kill it.
    `take` sees every line first; one that it accepts is not printed."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    grace: float = 10.0
    patient: bool = False
    take: Callable[[str], bool] = lambda _line: False
    process: subprocess.Popen[str] | None = None
    reader: threading.Thread | None = None
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    due_at: float = 0.0

    def start(self, say: Say, folder: Path, kept_open: Sequence[int]) -> None:
        self.process = spawn(self.arguments, self.environment, folder, kept_open, quiet=True)
        self.started_at = time.monotonic()
        self.reader = threading.Thread(target=self._read, args=(self.process, say), daemon=True)
        self.reader.start()

    def _read(self, process: subprocess.Popen[str], say: Say) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                if line.strip() and not self.take(line):
                    say(self.name, line.rstrip("\n"))

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def terminate(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def kill_all(self) -> None:
        """The process and what it started: they share its session."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def drain(self) -> None:
        """Prints its last lines."""
        if self.reader is not None:
            self.reader.join(1)


class Supervisor:
    """Starts children in the order given, and stops them in the reverse.

    `folder`: where they run. `kept_open`: file descriptors that they hold as long as they live, such as a lock's.
    """

    def __init__(self, say: Say, folder: Path, kept_open: Sequence[int] = ()) -> None:
        self.say = say
        self.folder = folder
        self.kept_open = kept_open
        self.children: list[Child] = []
        self.asked_at: float | None = None
        self.forced = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup(1) a hang-up is ignored, and stays so.
            if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:
                signal.signal(number, self._note)

    def _note(self, _number: int, _frame: object) -> None:
        now = time.monotonic()
        if self.asked_at is None:
            self.asked_at = now
        elif now - self.asked_at > SAME_SIGNAL_SECONDS:
            self.forced = True

    @property
    def stopping(self) -> bool:
        return self.asked_at is not None

    def start(self, child: Child) -> Child:
        self._check_signals()
        child.start(self.say, self.folder, self.kept_open)
        self.children.append(child)
        return child

    def wait_until(self, ready: Callable[[], bool], child: Child, seconds: float) -> None:
        """Raises CannotStart when `child` ends first or the time is over, Stopped on a signal."""
        until = time.monotonic() + seconds
        while not ready():
            self._check_signals()
            if not child.running:
                child.drain()
                raise CannotStart(f"{child.name} ended at once: see its lines above.")
            if time.monotonic() > until:
                raise CannotStart(f"{child.name} was not ready after {seconds:.0f} s: see its lines above.")
            time.sleep(0.05)

    def run_once(self, arguments: Sequence[str], environment: Mapping[str, str], text: str = "") -> int:
        """A process that ends by itself; gets `text` as standard input, returns its exit code. Raises Stopped."""
        with spawn(arguments, environment, self.folder, self.kept_open, quiet=False) as process:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(text)
                process.stdin.close()
            while process.poll() is None and not self.stopping:
                time.sleep(0.02)
            process.terminate()
        self._check_signals()
        return process.returncode

    def _check_signals(self) -> None:
        if self.stopping:
            raise StopRequested

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
            child.start(self.say, self.folder, self.kept_open)

    def stop(self) -> None:
        """One after another, the last first: nobody takes new work while somebody still finishes theirs."""
        for child in reversed(self.children):
            self._stop(child)

    def _stop(self, child: Child) -> None:
        child.terminate()
        began, reported = time.monotonic(), False
        while child.running and (waited := time.monotonic() - began) < child.grace:
            if self.forced and not child.patient:
                break
            if waited > PATIENCE_SECONDS and not reported:
                self.say(child.name, "finishes what it is at; Ctrl-C ends it at once")
                reported = True
            time.sleep(0.05)
        child.kill_all()
        child.drain()


def say(name: str, line: str) -> None:
    """A terminal that is gone stops nobody: the pipes of the children must still be read."""
    try:
        sys.stdout.write(f"{name:<7}| {line}\n")
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
