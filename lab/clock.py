"""The lab's time: this machine's, or one that somebody outside moves (`--clock`), so that days pass in no time."""

import mmap
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

Action = Callable[[], None]


class Clock:
    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def later(self, seconds: float, action: Action) -> None:
        timer = threading.Timer(seconds, action)
        timer.daemon = True
        timer.start()

    def catch_up(self) -> None:
        """Before each request: what has become due meanwhile."""

    def forget_due(self) -> None:
        """What is still to come does not come."""


class SharedClock(Clock):
    """Eight bytes of a file, a double: whoever waits moves it on, in whichever process."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), 8)
        self.due: list[tuple[float, Action]] = []

    def now(self) -> float:
        moment: float = struct.unpack("d", self.bytes[:8])[0]
        return moment

    def monotonic(self) -> float:
        return self.now()

    def sleep(self, seconds: float) -> None:
        self.bytes[:8] = struct.pack("d", self.now() + seconds)

    def later(self, seconds: float, action: Action) -> None:
        self.due.append((self.now() + seconds, action))

    def catch_up(self) -> None:
        now = self.now()
        for moment, action in sorted(self.due, key=lambda entry: entry[0]):
            if moment <= now:
                self.due.remove((moment, action))
                action()

    def forget_due(self) -> None:
        self.due.clear()


_clock = Clock()


def use(clock: Clock) -> None:
    global _clock  # noqa: PLW0603 - one process has one time
    _clock = clock


def now() -> float:
    return _clock.now()


def monotonic() -> float:
    return _clock.monotonic()


def sleep(seconds: float) -> None:
    _clock.sleep(seconds)


def later(seconds: float, action: Action) -> None:
    _clock.later(seconds, action)


def catch_up() -> None:
    _clock.catch_up()


def forget_due() -> None:
    _clock.forget_due()
