"""Which field a conflict is about, as far as AWS can be asked."""

from collections.abc import Iterator
from typing import Any

import pytest

from sync.scim import conflicts
from sync.scim.conflicts import UserList, narrow
from sync.scim.errors import Conflict, ServerError

pytestmark = pytest.mark.pure
SENT = {"userName": "bob@example.test", "emails": [{"value": "Bob@example.test"}]}
ROBERT = {"id": "1", "userName": "robert", "emails": [{"value": "bob@example.test"}]}


class Aws:
    """Holds these users; `away` breaks its list."""

    def __init__(self, *users: dict[str, Any], away: bool = False) -> None:
        self.users, self.held, self.away, self.lists = UserList(), users, away, 0

    def list_users(self) -> Iterator[dict[str, Any]]:
        self.lists += 1
        if self.away:
            raise ServerError("AWS is away.")
        yield from self.held

    def find_users(self, attribute: str, value: str) -> list[dict[str, Any]]:
        return [user for user in self.held if user.get(attribute) == value]

    def find_groups(self, attribute: str, value: str) -> list[dict[str, Any]]:
        return []


def narrowed(aws: Aws, sent: dict[str, Any] = SENT, mine: str = "") -> tuple[str, Any]:
    error = Conflict("Duplicate")
    narrow(aws, "user", sent, error, mine)
    return error.attribute, error.holder


def test_who_holds_the_user_name_is_found_without_a_list() -> None:
    holder = ROBERT | {"userName": "bob@example.test"}
    aws = Aws(holder)
    assert narrowed(aws) == ("userName", holder)
    assert aws.lists == 0


def test_the_address_is_found_in_the_list_which_is_read_once() -> None:
    aws = Aws(ROBERT)
    assert [narrowed(aws), narrowed(aws)] == [("emails", ROBERT)] * 2
    assert aws.lists == 1


def test_nobody_is_in_the_way_of_itself() -> None:
    assert narrowed(Aws(ROBERT | {"userName": "bob@example.test", "emails": []}), mine="1") == ("", None)


def test_too_many_users_to_list_leave_only_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflicts, "MOST_LISTED", 1)
    others = [{"id": str(n), "userName": f"n{n}"} for n in range(3)]
    assert narrowed(Aws(*others)) == ("emails", None)


def test_a_list_that_cannot_be_read_leaves_the_conflict_as_it_is() -> None:
    assert narrowed(Aws(ROBERT, away=True)) == ("", None)
