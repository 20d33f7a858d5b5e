"""The product in one thread, on a clock and dice from outside: what it does depends on nothing else.

Its threads only make it faster; without them a run does the same in the order of its code. Where a thread would wait
for another, it does the other's work.
"""

import itertools
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from sync import queue as messages
from sync.drift import comparison
from sync.engine.export import sending
from sync.engine.reading import ahead
from sync.runs import checkpoints
from sync.runs.lease import LOOK_SECONDS, Cancelled, Lease, LeaseLost, Watch
from tests.simulation.clock import Clock


class Killed(BaseException):
    """The process is gone. Nobody but its starter catches it, and what it passes on its way does nothing more."""


class Process:
    """One worker process. `queue`: what the broker holds."""

    def __init__(self, clock: Clock, dice: random.Random) -> None:
        self.clock = clock
        self.dice = dice
        self.queue: list[tuple[str, int]] = []
        self.dead = False
        self.seen: Counter[str] = Counter()
        self.awaited: tuple[str, int] = ("", 0)
        self.happens: Callable[[], None] | None = None
        around = {
            "clock": staticmethod(clock.now),
            "random": staticmethod(dice.random),
            "wait": staticmethod(clock.sleep),
        }
        self.watching = type("WatchOnTime", (OneThreadWatch,), around)

    def die(self) -> None:
        self.dead = True
        raise Killed

    @contextmanager
    def living(self, at: tuple[str, int] = ("", 0), happens: Callable[[], None] | None = None) -> Iterator[None]:
        """A process from its start to its end, or to its death: then its transaction is rolled back, and nothing else.

        `at`: the checkpoint ("": any), and which time it is passed, at which something `happens`."""
        self.seen.clear()
        self.awaited, self.happens = at, happens
        try:
            with connection.execute_wrapper(self._execute):
                yield
        except Killed:
            connection.close()
        finally:
            self.dead = False

    def _execute(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.dead:
            raise Killed
        return execute(sql, params, many, context)

    def _pass(self, step: str) -> None:
        if self.dead:
            raise Killed
        self.seen.update((step, ""))
        happens, now = self.happens, ((step, self.seen[step]), ("", self.seen[""]))
        if happens and self.awaited in now:
            self.happens = None
            happens()

    @contextmanager
    def in_charge(self) -> Iterator[None]:
        """The product runs on this process's time and dice as long as the block lasts."""
        changed: list[tuple[Any, str, Any]] = [
            (timezone, "now", self.clock.moment),
            (Now, "as_sql", self._now),
            (Now, "as_sqlite", self._now),
            (Now, "as_postgresql", self._now),
            (uuid, "uuid4", self._uuid),
            (ahead, "_Fetcher", Fetcher),
            (sending, "ThreadPoolExecutor", Pool),
            (comparison, "gather", gather),
            (messages, "send", lambda task, key: self.queue.append((task, key))),
        ]
        with ExitStack() as stack:
            for place, name, value in changed:
                stack.enter_context(mock.patch.object(place, name, value))
            checkpoints.listeners.append(self._pass)
            stack.callback(checkpoints.listeners.remove, self._pass)
            yield

    def _now(self, _compiler: Any, database: Any, **_: Any) -> tuple[str, list[Any]]:
        """The database's clock, too."""
        moment = database.ops.adapt_datetimefield_value(self.clock.moment())
        return ("%s::timestamptz" if database.vendor == "postgresql" else "%s"), [moment]

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.dice.getrandbits(128), version=4)


class OneThreadWatch(Watch):
    """Looks at what is asked of the run whenever the run itself waits or comes to a safe point."""

    wait: Callable[[float], None]

    def __init__(self, lease: Lease, run_id: int) -> None:
        super().__init__(lease, run_id)
        self._looked_at = self.clock()

    def __enter__(self) -> "OneThreadWatch":
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def safe_point(self) -> bool:
        self._notice()
        return super().safe_point()

    def sleep(self, seconds: float) -> None:
        self.wait(seconds)
        self._notice()
        if self.stopping:
            self.check()

    def _notice(self) -> None:
        """As often as the thread would look."""
        if self.clock() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = self.clock()
        try:
            self._look()
        except (Cancelled, LeaseLost) as error:
            self._error = error
            self._stop.set()


class Fetcher:
    """Fetches when it is asked for the next one."""

    def __init__(self, source: Iterable[Any]) -> None:
        self.source = iter(source)
        self.error: Exception | None = None
        self.left = mock.Mock()

    def start(self) -> None:
        pass

    def next(self, watch: Watch) -> Any:
        watch.safe_point()
        try:
            return next(self.source, ahead.End())
        except ahead.ENDINGS as error:
            self.error = error
            return ahead.End()


class Pool(Executor):
    """Carries out what is handed in before it goes on."""

    def __init__(self, _size: int, **_: Any) -> None:
        self.down = False

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(work(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the one who asks for the result gets it
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.down = True


def gather(jobs: Sequence[Callable[[], Iterable[Any]]], _connections: int) -> Iterator[Any]:
    return itertools.chain.from_iterable(job() for job in jobs)
