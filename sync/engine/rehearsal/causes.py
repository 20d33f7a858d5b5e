"""Which changes of a draft bring an operation: the keys of its differences, found by comparing with today's rules."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sync.configuration.items import SCOPE_KEYS, Difference, assignment_key, mapping_key, setting_key
from sync.rules.scope import Reason, Scope
from sync.scim import resource

Keys = tuple[str, ...]
# Not a change of the draft but why somebody is outside: `scope:not-assigned`.
SCOPE = "scope:"


def reason_key(reason: str) -> str:
    return f"{SCOPE}{reason}"


class Causes:
    """The differences between today's rules and the draft, by what they can bring about."""

    def __init__(self, found: Iterable[Difference]) -> None:
        self.found = {one.key: one for one in found}
        self.units: dict[str, dict[str, list[str]]] = {"user": defaultdict(list), "group": defaultdict(list)}
        for one in self.found.values():
            if one.item.kind == "mapping":
                self.units[one.item.object_type][resource.unit_of(one.item.name)].append(one.key)

    @property
    def values(self) -> bool:
        """Whether anything can give somebody another value."""
        return any(self.units.values()) or setting_key("guest_user_name") in self.found

    @property
    def of_scope(self) -> Keys:
        """Whatever can bring or remove people."""
        return tuple(
            key for key, one in self.found.items() if one.item.kind in ("filter", "assignment") or key in SCOPE_KEYS
        )

    def of_person(self, object_id: str, before: Scope, after: Scope) -> Keys:
        """What takes a person out of scope, or brings one; nothing when both rules say the same."""
        if before.in_scope == after.in_scope:
            return ()
        inside, outside = (before, after) if before.in_scope else (after, before)
        return self.known(self._decides(object_id, inside, outside)) or self.of_scope

    def _decides(self, object_id: str, inside: Scope, outside: Scope) -> Sequence[str]:
        if outside.reason == Reason.OUTSIDE_FILTER:
            return self._filters("user")
        if outside.reason == Reason.GUEST:
            return [setting_key("leave_out_guests")]
        if inside.reason == Reason.ASSIGNED:
            return [assignment_key("user", object_id)]
        if inside.reason == Reason.EVERYBODY:
            return [setting_key("everybody")]
        return [assignment_key("group", group_id) for group_id in inside.path]

    def _filters(self, object_type: str) -> list[str]:
        return [
            key for key, one in self.found.items() if one.item.kind == "filter" and one.item.object_type == object_type
        ]

    def known(self, keys: Iterable[str]) -> Keys:
        return tuple(key for key in keys if key in self.found)

    def of_units(self, object_type: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Keys:
        """Mappings whose unit has another value under the draft. `new`: the units in question."""
        moved = [unit for unit, value in new.items() if old.get(unit) != value]
        keys = tuple(key for unit in moved for key in self.units[object_type].get(unit, ()))
        return keys or (self.known([setting_key("guest_user_name")]) if moved else ())

    def of_group(self, object_id: str, *, moves: bool) -> Keys:
        """`moves`: the group itself comes into scope or leaves it with the draft."""
        own = self.known([assignment_key("group", object_id)])
        return own or (tuple(self._filters("group")) if moves else ())

    def of_members(self, group: Keys, moved: Iterable[Keys]) -> Keys:
        """Of a membership: what is behind its group, else what moves its people."""
        own = (*group, *self.known([mapping_key("group", "members")]))
        return own or tuple(dict.fromkeys(key for keys in moved for key in keys))
