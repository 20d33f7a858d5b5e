"""Change notifications of Graph: subscriptions with the real handshake, and a notification for each change of people and groups.

(Graph, subscription resource type; "Receive change notifications through webhooks".) Unlike Microsoft the lab calls this machine alone,
by plain HTTP too, and notifies within a moment: Microsoft takes up to minutes.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from lab import chance, clock
from lab.entra.directory import Directory
from lab.entra.shapes import GraphRefusal
from lab.http import Request

Json = dict[str, Any]
RESOURCES = {"users": "#Microsoft.Graph.User", "groups": "#Microsoft.Graph.Group"}
RIGHTS = {"users": {"User.Read.All", "Directory.Read.All"}, "groups": {"Group.Read.All", "Directory.Read.All"}}
MOST, LEAST = timedelta(minutes=41_760), timedelta(minutes=45)
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
# Seconds: how often changes are looked for, how long the other side may take, and until each new try.
LOOK, PATIENCE, AGAIN = 0.1, 10, (1, 5, 30)
FAILED = "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request."
# A proxy of the environment has no say.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Subscriptions:
    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.lock = threading.Lock()
        self.watching = False
        self.seen = 0
        self.rows: dict[str, Json] = {}
        self.read()
        if self.rows:
            self._watch()

    def read(self) -> None:
        """What the directory holds: they outlive the lab's process, as they would Microsoft's."""
        with self.lock:
            self.rows = json.loads(self.directory.fact("subscriptions", "{}"))
            self.seen = self.directory.sequence()

    def forget(self) -> None:
        """Microsoft drops them all, and says so ("Reduce missing subscriptions and change notifications")."""
        with self.lock:
            dropped = list(self.rows.values())
            self.rows.clear()
            self._store()
        for row in dropped:
            told = {
                "subscriptionId": row["id"],
                "clientState": row.get("clientState"),
                "lifecycleEvent": "subscriptionRemoved",
            }
            self._send(row.get("lifecycleNotificationUrl") or row["notificationUrl"], [told])

    def _store(self) -> None:
        self.directory.set_fact("subscriptions", json.dumps(self.rows))

    # What the app asks for

    def answer(self, request: Request, key: list[str], roles: set[str]) -> tuple[int, Json]:
        match [request.method, *key]:
            case ["POST"]:
                return 201, self._create(_body(request), roles)
            case ["GET"]:
                return 200, {"value": [_shown(row) for row in self.rows.values()]}
            case ["PATCH", subscription_id]:
                row = self._row(subscription_id)
                row["expirationDateTime"] = _end(_body(request))
                self._store()
                return 200, _shown(row)
            case ["DELETE", subscription_id]:
                self._row(subscription_id)
                self.rows.pop(subscription_id, None)
                self._store()
                return 204, {}
        raise GraphRefusal(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")

    def _row(self, subscription_id: str) -> Json:
        row = self.rows.get(subscription_id)
        if row is None or _moment(row["expirationDateTime"]) <= _now():
            raise GraphRefusal(404, "ResourceNotFound", "The object was not found.")
        return row

    def _create(self, asked: Json, roles: set[str]) -> Json:
        resource = str(asked.get("resource", "")).strip("/")
        kinds = set(str(asked.get("changeType", "")).split(","))
        if resource not in RESOURCES or not kinds or not kinds <= {"updated", "deleted"}:
            raise GraphRefusal(
                400, "InvalidRequest", f"Subscriptions to '{resource}' of these changes are not supported."
            )
        if not RIGHTS[resource] & roles:
            raise GraphRefusal(403, "ExtensionError", "Operation: Create; Exception: [Status Code: Forbidden]")
        if len(str(asked.get("clientState", ""))) > 128:
            raise GraphRefusal(400, "InvalidRequest", "clientState is too long.")
        row = {**asked, "resource": resource, "expirationDateTime": _end(asked), "id": chance.new_uuid()}
        for name in ("notificationUrl", "lifecycleNotificationUrl"):
            if asked.get(name):
                _validate(str(asked[name]))
        with self.lock:
            self.rows[row["id"]] = row
            self._store()
            self._watch()
        return _shown(row)

    # What is sent

    def _watch(self) -> None:
        if not self.watching:
            self.watching, self.seen = True, self.directory.sequence()
            threading.Thread(target=self._look_on, daemon=True, name="notifications").start()

    def _look_on(self) -> None:
        while True:
            time.sleep(LOOK)
            now, since = self.directory.sequence(), self.seen
            if now > since:
                self.seen = now
                self._notify(since)

    def _notify(self, since: int) -> None:
        with self.lock:
            rows = [row for row in self.rows.values() if _moment(row["expirationDateTime"]) > _now()]
        changes = {resource: list(self._changes(resource, since)) for resource in {row["resource"] for row in rows}}
        for row in rows:
            if items := [self._item(row, *change) for change in changes[row["resource"]]]:
                self._send(row["notificationUrl"], items)

    def _send(self, url: str, items: list[Json]) -> None:
        threading.Thread(target=_deliver, args=(url, {"value": items}), daemon=True).start()

    def _changes(self, resource: str, since: int) -> Iterator[tuple[str, str]]:
        """Id and kind of change. Who lies in the recycle bin was updated; who was purged was deleted."""
        ids = f"SELECT id, deleted FROM {resource} WHERE seq > ?"
        members = " OR id IN (SELECT group_id FROM member_log WHERE seq > ?)" if resource == "groups" else ""
        for row in self.directory.db.all(ids + members, (since,) * (2 if members else 1)):
            yield row["id"], "deleted" if row["deleted"] == "deleted" else "updated"

    def _item(self, row: Json, object_id: str, kind: str) -> Json:
        path = f"{row['resource'].capitalize()}/{object_id}"
        directory_id = self.directory.fact("directory_id")
        return {
            "subscriptionId": row["id"],
            "subscriptionExpirationDateTime": row["expirationDateTime"],
            "clientState": row.get("clientState"),
            "changeType": kind,
            "resource": path,
            "tenantId": directory_id,
            "resourceData": {
                "@odata.type": RESOURCES[row["resource"]],
                "@odata.id": path,
                "id": object_id,
                "organizationId": directory_id,
                "eventTime": _text(_now()),
                "sequenceNumber": self.seen,
            },
        }


def _shown(row: Json) -> Json:
    """clientState is never told again."""
    return {**row, "clientState": None, "includeResourceData": None, "encryptionCertificate": None}


def _body(request: Request) -> Json:
    try:
        found = json.loads(request.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise GraphRefusal(400, "BadRequest", "Unable to read JSON request payload.")
    return found


def _end(asked: Json) -> str:
    try:
        end = _moment(str(asked.get("expirationDateTime")))
    except ValueError as error:
        raise GraphRefusal(400, "InvalidRequest", "expirationDateTime is no moment.") from error
    if not timedelta() < end - _now() <= MOST:
        raise GraphRefusal(400, "InvalidRequest", "Subscription expiration can only be 41760 minutes in the future.")
    return _text(max(end, _now() + LEAST))


def _now() -> datetime:
    return datetime.fromtimestamp(clock.now(), UTC)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _validate(url: str) -> None:
    """The handshake: the other side sends back, as plain text and within ten seconds, what it got in the address."""
    token = f"Validation: Testing client application reachability for subscription Request-Id: {chance.new_uuid()}"
    try:
        status, kind, body = _post(f"{url}?{urlencode({'validationToken': token})}", b"", "text/plain; charset=utf-8")
    except OSError as error:
        raise GraphRefusal(400, "InvalidRequest", f"{FAILED} {type(error).__name__}") from error
    if (status, kind, body.decode("utf-8", "replace")) != (200, "text/plain", token):
        raise GraphRefusal(400, "InvalidRequest", FAILED)


def _deliver(url: str, body: Json) -> None:
    """What is not answered by 2xx comes again, a few times."""
    for pause in (*AGAIN, 0):
        try:
            status, _kind, _answer = _post(url, json.dumps(body).encode(), "application/json")
        except OSError:
            status = 0
        if 200 <= status < 300:
            return
        time.sleep(pause)


def _post(url: str, body: bytes, kind: str) -> tuple[int, str, bytes]:
    if urlsplit(url).hostname not in THIS_MACHINE:
        raise OSError("The lab calls this machine alone.")
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind}, method="POST")  # noqa: S310
    with _opener.open(request, timeout=PATIENCE) as answer:
        return answer.status, answer.headers.get_content_type(), answer.read(100_000)
