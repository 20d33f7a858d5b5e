"""How much of a plan may go without a person's approval."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings of a tenant; the guard against an empty directory is not among them.

    Numbers are people, members or hours; percentages are of the people (members) that AWS holds because of us.
    """

    people_at_least: int = 3
    people_at_most: int = 10
    people_percent: int = 5
    members_at_least: int = 10
    members_percent: int = 50
    all_members_percent: int = 10
    creates_percent: int = 50
    keys_percent: int = 10
    # A full reading that brings so much less than the last one is not believed.
    shrink_percent: int = 30
    approval_hours: int = 4

    @classmethod
    def of(cls, chosen: Mapping[str, int]) -> Self:
        """`chosen`: what differs from the defaults, as a tenant stores it."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: int(value) for name, value in chosen.items() if name in known})

    def people(self, linked: int) -> int:
        return max(self.people_at_least, min(self.people_at_most, linked * self.people_percent // 100))

    def members_of(self, size: int) -> int:
        return max(self.members_at_least, size * self.members_percent // 100)

    def members(self, size: int) -> int:
        return max(self.members_at_least, size * self.all_members_percent // 100)

    def creates(self, linked: int) -> int:
        return max(self.members_at_least, linked * self.creates_percent // 100)

    def keys(self, linked: int) -> int:
        return max(self.people_at_least, linked * self.keys_percent // 100)
