"""What AWS holds, listed and asked for by several threads, none of which touches the database."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from queue import Full, Queue
from typing import TypeVar

from sync.scim.client import Json, ScimClient, equals
from sync.scim.errors import NotFound

T = TypeVar("T")

CONNECTIONS = 10

PAGE = 100


@dataclass(frozen=True, slots=True)
class Ended:
    """A job is over; `error`: what it raised."""

    error: BaseException | None = None


def gather(jobs: Sequence[Callable[[], Iterable[T]]], connections: int) -> Iterator[T]:
    """What the jobs bring, as it comes; they run in threads. Memory is bounded: a full inbox makes readers wait.

    Only their threads put into it: whoever takes out of it would wait for ever where it is full."""
    inbox: Queue[T | Ended] = Queue(2 * connections)
    stop = threading.Event()

    def hand_over(item: T | Ended) -> None:
        while not stop.is_set():
            try:
                inbox.put(item, timeout=0.2)
            except Full:
                continue
            return

    def read(job: Callable[[], Iterable[T]]) -> None:
        try:
            for item in job():
                hand_over(item)
                if stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the items are taken
            hand_over(Ended(error))
        else:
            hand_over(Ended())

    with ThreadPoolExecutor(connections, thread_name_prefix="verify") as pool:
        try:
            for job in jobs:
                pool.submit(read, job)
            yield from _until_done(inbox, len(jobs))
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _until_done(inbox: Queue[T | Ended], jobs: int) -> Iterator[T]:
    """Raises what a job raised."""
    while jobs:
        item = inbox.get()
        if not isinstance(item, Ended):
            yield item
        elif item.error is not None:
            raise item.error
        else:
            jobs -= 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A piece of a list: resources of AWS."""

    object_type: str
    resources: Sequence[Json]


@dataclass(frozen=True, slots=True)
class Members:
    """Everybody whom AWS lists for one group, by AWS id."""

    group_id: str
    user_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class AskedObject:
    """What AWS holds under an id; None: nothing."""

    scim_id: str
    resource: Json | None


@dataclass(frozen=True, slots=True)
class AskedMember:
    """Whether AWS has one person in a group."""

    group_id: str
    there: bool


def list_objects(client: ScimClient, object_type: str) -> Iterator[Listed]:
    found = client.list_users(count=PAGE) if object_type == "user" else client.list_groups(count=PAGE)
    while part := list(islice(found, PAGE)):
        yield Listed(object_type, part)


def list_members(client: ScimClient, group_id: str) -> Iterator[Members]:
    """A group that went meanwhile has no members; that it went is found out elsewhere."""
    try:
        yield Members(group_id, list(client.members_of(group_id)))
    except NotFound:
        return


def ask_for(client: ScimClient, object_type: str, scim_id: str) -> Iterator[AskedObject]:
    try:
        answer = client.get_user(scim_id) if object_type == "user" else client.get_group(scim_id)
    except NotFound:
        yield AskedObject(scim_id, None)
    else:
        yield AskedObject(scim_id, answer.resource or {"id": scim_id})


def ask_for_member(client: ScimClient, group_id: str, user_id: str) -> Iterator[AskedMember]:
    """AWS answers about one person of one group (Developer Guide, ListGroups: id and members; 404: no such person)."""
    if client.endpoint.dialect == "rfc":
        yield AskedMember(group_id, user_id in client.members_of(group_id))
        return
    try:
        found = next(client.list_groups(f"{equals('id', group_id)} and {equals('members', user_id)}"), None)
    except NotFound:
        found = None
    yield AskedMember(group_id, found is not None)
