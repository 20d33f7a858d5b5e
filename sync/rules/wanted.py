"""A configuration as a value, however it came: from our file, from Microsoft's schema, from the database. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.rules.rows import MappingRow as Rule


@dataclass(frozen=True, slots=True)
class WantedFilter:
    """`clauses` as ScopingFilter keeps them."""

    title: str
    clauses: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class WantedAssignment:
    object_type: str
    object_id: str
    name: str = ""
    detail: str = ""
    nested: bool = False
    send_group: bool = True

    @property
    def key(self) -> tuple[str, str]:
        return self.object_type, self.object_id


@dataclass(slots=True)
class Wanted:
    """What somebody wants configured, by object type ("user", "group"). What is missing here stays as it is."""

    mappings: dict[str, list[Rule]] = field(default_factory=dict)
    filters: dict[str, list[WantedFilter]] = field(default_factory=dict)
    assignments: list[WantedAssignment] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
