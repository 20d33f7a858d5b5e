"""What matching asks of AWS: a client's own methods, or answers that were asked for beforehand."""

from collections.abc import Iterable
from typing import Protocol

from sync.scim.client import Answer, Json


class Reads(Protocol):
    def list_users(self) -> Iterable[Json]: ...

    def list_groups(self) -> Iterable[Json]: ...

    def find_users(self, attribute: str, value: str) -> list[Json]: ...

    def find_groups(self, attribute: str, value: str) -> list[Json]: ...

    def get_user(self, scim_id: str) -> Answer: ...

    def get_group(self, scim_id: str) -> Answer: ...
