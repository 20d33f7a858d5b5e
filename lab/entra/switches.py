"""How Graph misbehaves on demand: the shapes that its documents allow or that its users report, and some that nobody should trust."""

import zlib
from typing import Any

Json = dict[str, Any]

# Name: (value when nothing is wrong, meaning)
SWITCHES: dict[str, tuple[Any, str]] = {
    "page_size": (200, "objects per page of a delta round"),
    "portion": (500, "members@delta entries per page of a groups round"),
    "shuffle": (False, "the objects and portions of a round in any order"),
    "replay": (False, "a later round repeats the round before"),
    "duplicates": (0, "so many more copies of each object in a round"),
    "empty_pages": (0, "so many empty pages with a nextLink after each page of a round"),
    "endless": ("", "a round never ends: 'same' gives its last nextLink for ever, 'empty' always a new empty page"),
    "foreign_link": ("", "'next' or 'delta': that link of a round leads to another host"),
    "lose_delta_link": (False, "the last page of a round has no link at all"),
    "dead_next_links": (False, "a nextLink of a round answers 404"),
    "drop_users_after": (0, "a users round ends after so many pages as if that were all"),
    "drop_groups_after": (0, "a groups round ends after so many pages as if that were all"),
    "drop_members_of": ({}, "group id: so many of its members are listed, as if that were all"),
    "drop_list_after": (0, "a list of users or groups ends after so many objects as if that were all"),
    "unknown_removals": (0, "so many removals of ids that nobody ever saw, in each group of a round"),
    "limited_info": (False, "members show their type and id alone, everything else null"),
    "shrink_users": (0.0, "this share of people is left out of full rounds and lists"),
    "shrink_groups": (0.0, "this share of groups is left out of full rounds and lists"),
    "shrink_members": (0.0, "this share of each group's members is left out of full rounds and lists"),
    "shrink_count": (False, "@odata.count leaves them out too"),
    "lag": (0, "the last so many changes are not reported by rounds yet"),
    "silent_member_removal": (False, "removed members are missing from later rounds; only a full round shows it"),
    "days_passed": (0, "delta tokens of today are so many days old; those older than seven are dead"),
    "expiry": ("410", "how a dead delta token is refused: 410, 400 or 404"),
}


class GraphSwitches:
    """`values`: what holds now. `version` goes up with each change."""

    def __init__(self) -> None:
        self.values: Json = {}
        self.version = 0
        self.reset()

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def set(self, changes: Json) -> Json:
        """Raises ValueError in words; nothing changes then."""
        for name, value in changes.items():
            if name not in SWITCHES:
                raise ValueError(f"{name}: no such switch. There are {', '.join(SWITCHES)}.")
            default = SWITCHES[name][0]
            if not isinstance(value, int | float if isinstance(default, float) else type(default)):
                raise ValueError(f"{name} = {value!r}: it must be like {default!r}.")
        self.values |= changes
        self.version += 1
        return self.values

    def reset(self) -> None:
        self.values = {name: default for name, (default, _meaning) in SWITCHES.items()}
        self.version += 1

    def shown(self) -> Json:
        return {
            name: {"value": self.values[name], "default": default, "meaning": meaning}
            for name, (default, meaning) in SWITCHES.items()
        }

    def leaves_out(self, kind: str, object_id: str) -> bool:
        """The same objects each time."""
        share = float(self.values[f"shrink_{kind}"])
        return share > 0 and zlib.crc32(object_id.encode()) % 10_000 < share * 10_000
