"""What AWS holds and no link names: asked by filter while few objects need it, else listed once."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sync.models import Link, Tenant
from sync.rules.matching import Match, Verdict, judged, match
from sync.scim import resource
from sync.scim.errors import NotFound
from sync.scim.never_touch import NeverTouch
from sync.scim.reads import Reads
from sync.scim.resource import MANAGER

Json = dict[str, Any]


class Target:
    def __init__(
        self,
        tenant: Tenant,
        client: Reads,
        object_type: str,
        attributes: Sequence[str],
        unique: Collection[str] = (),
        *,
        many: bool,
    ) -> None:
        """`attributes` are matched on; `unique`: units whose values must be free."""
        self.tenant = tenant
        self.client = client
        self.object_type = object_type
        self.attributes = attributes
        self.indexed = {*attributes, *unique}
        self.never_touch = NeverTouch(tenant.never_touched())
        # Kept as text: a hundred thousand parsed resources would fill the memory.
        self.listed: list[bytes] = []
        # Of what was listed: AWS's id -> ours.
        self.external: dict[str, str] = {}
        self.index: dict[tuple[str, str], list[int]] | None = self._list() if many else None

    def _list(self) -> dict[tuple[str, str], list[int]]:
        index: dict[tuple[str, str], list[int]] = defaultdict(list)
        for found in self.client.list_users() if self.object_type == "user" else self.client.list_groups():
            for attribute in self.indexed:
                if value := _value(found, attribute):
                    index[self._key(attribute, value)].append(len(self.listed))
            self.listed.append(json.dumps(found).encode())
            self.external[found["id"]] = str(found.get("externalId") or "")
        return index

    def find(self, attribute: str, value: str) -> list[Json]:
        if self.index is not None:
            return [json.loads(self.listed[at]) for at in self.index.get(self._key(attribute, value), [])]
        if self.object_type == "user":
            return self.client.find_users(attribute, value)
        return self.client.find_groups(attribute, value)

    def unlinked(self, unit: str, value: str) -> list[Json]:
        """Objects that no link names and that have the value. An e-mail is known only where AWS was listed."""
        known = self.index is not None or can_be_asked(self.object_type, unit)
        return [held for held in self.find(unit, value) if not self._linked(held["id"])] if known else []

    def units_held(self, found: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """Of an AWS object, with its manager as we name managers: by Entra's id, which AWS keeps as externalId."""
        held = resource.units_held(found, names)
        if isinstance(held.get(MANAGER), Mapping):
            held[MANAGER] = {"value": self.external.get(held[MANAGER].get("value", ""), "")}
        return held

    def _key(self, attribute: str, value: str) -> tuple[str, str]:
        """As AWS compares when it is asked by filter."""
        one = resource.ATTRIBUTES[self.object_type].get(attribute)
        return attribute, value if one and one.case_exact else value.casefold()

    def match(self, link: Link, units: Mapping[str, Any]) -> Match:
        """Who the object is in AWS, under the tenant's rule of linking. What a person chose comes first."""
        if link.adopt_scim_id:
            return self._chosen(link)
        found = match(units, self.attributes, self.find)
        if found.resource is not None and self._linked(found.resource["id"]):
            # It is somebody else's. Whether that one gives the value up is for the whole plan to say (clashes.py).
            return Match(Verdict.UNMATCHED, None, found.attribute)
        return judged(found, units.get("externalId"), self.tenant.adoption, self.never_touch)  # type: ignore[arg-type]

    def _chosen(self, link: Link) -> Match:
        get = self.client.get_user if self.object_type == "user" else self.client.get_group
        try:
            held = get(link.adopt_scim_id).resource
        except NotFound:
            return Match(Verdict.UNMATCHED)
        if held is None or self._linked(link.adopt_scim_id):
            return Match(Verdict.FOREIGN, held, "id")
        # A person said so: whatever the list says about its name.
        return Match(Verdict.LEFT_ALONE if self.never_touch.names_id(held) else Verdict.MATCHED, held, "id")

    def _linked(self, scim_id: str) -> bool:
        return Link.objects.filter(tenant=self.tenant, object_type=self.object_type, scim_id=scim_id).exists()


def can_be_asked(object_type: str, unit: str) -> bool:
    """Whether AWS takes the unit in a filter: it takes no e-mail address."""
    one = resource.ATTRIBUTES[object_type].get(unit)
    return one is not None and one.filterable


def _value(found: Mapping[str, Any], unit: str) -> str:
    value = found.get(unit)
    if isinstance(value, list):
        return str(value[0].get("value") or "") if value else ""
    return str(value or "")
