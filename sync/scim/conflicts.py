"""Which field a 409 is about, and who holds the value: AWS says neither (user guide, troubleshooting: it names no field)."""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Protocol

from sync.scim.errors import Conflict, ScimError
from sync.scim.resource import plain_text

Json = dict[str, Any]
NAMES = {"user": "userName", "group": "displayName"}
# AWS finds nobody by e-mail: so many users are listed, once per run, before an address goes without its holder.
MOST_LISTED = 5000


class UserList:
    """Users of AWS by e-mail address, listed when a conflict asks for the first time. `whole`: nobody is left out."""

    def __init__(self) -> None:
        self.whole = False
        self._lock = threading.Lock()
        self._by_mail: dict[str, Json] | None = None

    def who_has(self, mail: str, listed: Callable[[], Iterable[Json]]) -> Json | None:
        with self._lock:
            if self._by_mail is None:
                users = list(islice(listed(), MOST_LISTED + 1))
                self.whole = len(users) <= MOST_LISTED
                self._by_mail = {plain_text(value): user for user in users if (value := mail_of(user))}
        return self._by_mail.get(plain_text(mail))


class ConflictReads(Protocol):
    @property
    def users(self) -> UserList: ...

    def list_users(self) -> Iterable[Json]: ...

    def find_users(self, attribute: str, value: str) -> list[Json]: ...

    def find_groups(self, attribute: str, value: str) -> list[Json]: ...


def mail_of(units: Mapping[str, Any]) -> str:
    return str((units.get("emails") or [{}])[0].get("value") or "")


def narrow(client: ConflictReads, object_type: str, sent: Mapping[str, Any], error: Conflict, mine: str = "") -> None:
    """Notes on the error what can be found out. `sent`: what was to be written; `mine`: the AWS id of the object itself.

    What cannot be read now says nothing: it stays a conflict.
    """
    with suppress(ScimError):
        _narrow(client, object_type, sent, error, mine)


def _narrow(client: ConflictReads, object_type: str, sent: Mapping[str, Any], error: Conflict, mine: str) -> None:
    """What AWS can be searched by is looked up; if nobody holds that, it must be about the e-mail address."""
    find = client.find_users if object_type == "user" else client.find_groups
    for attribute in ("externalId", NAMES[object_type]):
        if value := sent.get(attribute):
            found = next((one for one in find(attribute, str(value)) if one["id"] != mine), None)
            if found is not None:
                error.attribute, error.holder = attribute, found
                return
    if object_type == "user" and (mail := mail_of(sent)):
        error.holder = client.users.who_has(mail, client.list_users)
        error.attribute = "emails" if error.holder or not client.users.whole else ""
