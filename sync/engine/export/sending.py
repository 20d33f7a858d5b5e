"""Carrying out a plan: intent committed, request, result committed; many in flight, paced by the client.

No thread here touches the database: the journal (sync/engine/export/journal.py) does, from the run's own thread alone, and in groups:
each turn one transaction that records all finished outcomes and intends the next requests.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Literal, Protocol

from sync.runs.checkpoints import passed
from sync.runs.outcomes import RunStopped
from sync.scim import writing
from sync.scim.client import ScimClient
from sync.scim.errors import AwsDown, Forbidden, ScimError, Stopped, Unauthorised
from sync.scim.writing import Written

Kind = Literal[
    "create_user",
    "patch_user",
    "delete_user",
    "create_group",
    "patch_group",
    "delete_group",
    "add_members",
    "remove_members",
    "nothing",
]
# Requests that are intended but wait for a free connection, as a multiple of the connections.
WAITING = 5
# How long finished requests gather before they are recorded together: shortly when connections would stand idle
# meanwhile, else longer. How often a safe point comes at least.
GATHER_SECONDS, GATHER_LONGER_SECONDS, SAFE_POINT_SECONDS = 0.02, 0.2, 0.4
# How long requests in flight may still land when the run is to stop.
LANDING_SECONDS = 8.0


class TokenRefused(RunStopped):
    """AWS answered 401 or 403: every further request would fail the same way."""

    code = "token-refused"


class TooManyFailures(RunStopped):
    """Of `done` finished writes of people and groups `failed` would fail again."""

    code = "too-many-failures"

    def __init__(self, failed: int, done: int) -> None:
        super().__init__(f"{failed} of {done} failed")
        self.failed = failed
        self.done = done


@dataclass(frozen=True, slots=True)
class Request:
    """What to send for one operation. `body`: a resource, PATCH operations, or member ids, by kind.

    `external_id`: what the object holds as far as we know. `not_after`: the clock's time after which it is not begun any more; somebody else may hold the lease by then.
    """

    operation_id: int
    kind: Kind
    scim_id: str = ""
    body: Any = field(default_factory=dict)
    not_after: float = float("inf")
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`unsent`: nothing left this process for it."""

    operation_id: int
    written: Written | None = None
    error: ScimError | None = None
    unsent: bool = False


class Ledger(Protocol):
    def turn(self, outcomes: Sequence[Outcome], room: int) -> Sequence[Request]:
        """Commits what came of requests and the intent of up to `room` more, whose requests it returns.

        Of operations that have nothing to send it only notes why: no request does not mean that nothing is left."""

    @property
    def exhausted(self) -> bool:
        """Whether the last turn found no operation to begin."""

    def check(self) -> None:
        """Raises TooManyFailures."""


def export_stage(
    journal: Ledger,
    client: ScimClient,
    connections: int,
    safe_point: Callable[[], None],
    clock: Callable[[], float],
) -> None:
    """One stage of the plan, until nothing is left and nothing is in flight.

    Raises TokenRefused, AwsDown, TooManyFailures and what `safe_point` raises; requests in flight land first.
    """
    flight = Flight(client, connections, clock)
    landed: list[Outcome] = []
    try:
        while True:
            flight.start(journal.turn(landed, flight.room))
            landed = []
            journal.check()
            if flight.flying:
                landed = flight.land()
            elif journal.exhausted:
                return
            safe_point()
            flight.check()
    except Exception:
        journal.turn([*landed, *flight.end(LANDING_SECONDS)], 0)
        raise
    finally:
        flight.close()


class Flight:
    """The requests that are intended and not recorded yet."""

    def __init__(self, client: ScimClient, connections: int, clock: Callable[[], float]) -> None:
        self.client = client
        self.clock = clock
        self.connections = connections
        self.most = (1 + WAITING) * connections
        self.pool = ThreadPoolExecutor(connections, thread_name_prefix="scim")
        self.flying: dict[Future[Outcome], Request] = {}
        self.landed: SimpleQueue[Future[Outcome]] = SimpleQueue()
        self.halt = threading.Event()
        self.error: BaseException | None = None

    @property
    def room(self) -> int:
        return self.most - len(self.flying)

    def start(self, requests: Sequence[Request]) -> None:
        for request in requests:
            future = self.pool.submit(self._send, request)
            self.flying[future] = request
            future.add_done_callback(self.landed.put)

    def land(self) -> list[Outcome]:
        """What finished: the first one, at most until the next safe point, and what follows it."""
        outcomes = self._landed(SAFE_POINT_SECONDS)
        began = self.clock()
        while outcomes and self.flying and (left := began + self._gathering - self.clock()) > 0:
            outcomes += self._landed(left)
        return outcomes

    @property
    def _gathering(self) -> float:
        if self.error is not None:
            return 0.0
        return GATHER_SECONDS if len(self.flying) <= self.connections else GATHER_LONGER_SECONDS

    def _landed(self, seconds: float) -> list[Outcome]:
        try:
            outcome = self._outcome(self.landed.get(timeout=seconds))
        except Empty:
            return []
        return [outcome] if outcome else []

    def _outcome(self, future: "Future[Outcome]") -> Outcome | None:
        """None after an error that is not AWS's: what became of the request is read by the next run."""
        request = self.flying.pop(future)
        if future.cancelled():
            return Outcome(request.operation_id, unsent=True)
        if (error := future.exception()) is not None:
            self.error = error
            return None
        outcome = future.result()
        if isinstance(outcome.error, Unauthorised | Forbidden):
            self.error = TokenRefused()
        elif isinstance(outcome.error, AwsDown):
            self.error = outcome.error
        return outcome

    def check(self) -> None:
        if self.error is not None:
            raise self.error

    def end(self, seconds: float) -> list[Outcome]:
        """No further request begins. What has not landed in time stays an open intent."""
        self.halt.set()
        self.client.stop()
        # `wait` would not see these: nobody takes them out of the pool's queue.
        cancelled = {future for future in self.flying if future.cancel()}
        done = cancelled | wait(self.flying.keys() - cancelled, seconds).done
        return [outcome for future in done if (outcome := self._outcome(future))]

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)

    def _send(self, request: Request) -> Outcome:
        if self.halt.is_set() or self.clock() > request.not_after:
            return Outcome(request.operation_id, unsent=True)
        passed("before send")
        try:
            outcome = Outcome(request.operation_id, written=write(self.client, request))
        except (Unauthorised, Forbidden, AwsDown) as error:
            self.halt.set()
            outcome = Outcome(request.operation_id, error=error)
        except ScimError as error:
            outcome = Outcome(request.operation_id, error=error)
        except Stopped as error:
            if not error.nothing_sent:
                raise
            return Outcome(request.operation_id, unsent=True)
        passed("after answer")
        return outcome


def write(client: ScimClient, request: Request) -> Written:
    match request.kind:
        case "create_user" | "create_group":
            return writing.create(client, request.kind.removeprefix("create_"), request.body)
        case "patch_user" | "patch_group":
            kind = request.kind.removeprefix("patch_")
            return writing.patch(client, kind, request.scim_id, request.body, request.external_id)
        case "delete_user" | "delete_group":
            return writing.delete(client, request.kind.removeprefix("delete_"), request.scim_id)
        case "add_members":
            return writing.add_members(client, request.scim_id, request.body, request.external_id)
        case "remove_members":
            return writing.remove_members(client, request.scim_id, request.body)
        case "nothing":
            return Written()
