"""Live look-ups in Entra for pages: searching, and reading one person. Nothing here is written to the mirror.

Every function may raise one of UNREADABLE; a page then says so and goes on without. What a search found is
remembered for an hour, so that a list of chosen people and groups keeps its names without asking Graph again.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.clients import NotEntered, graph_client
from sync.graph.errors import GraphError, NotFound
from sync.models import DirectoryGroup, DirectoryMembership, DirectoryUser, ObjectType, Tenant
from sync.sealing import CannotOpen

REMEMBERED_SECONDS = 3600
COUNT_SECONDS = 60
PERSON_SECONDS = 30
SHORTEST_SEARCH = 2

# Kinds of what a search finds; groups as Microsoft Graph tells them apart (group resource type, groupTypes).
KINDS: Mapping[str, str | Promise] = {
    "person": _("Person"),
    "guest": _("Guest"),
    "security": _("Security group"),
    "dynamic": _("Dynamic group"),
    "microsoft365": _("Microsoft 365 group"),
    "role-assignable": _("Role-assignable group"),
    "distribution": _("Distribution group"),
    "group": _("Group"),
}

GROUP_SELECT = ("id", "displayName", "securityEnabled", "mailEnabled", "groupTypes", "isAssignableToRole")
USER_SELECT = ("id", "displayName", "userPrincipalName", "mail", "jobTitle", "userType")


# What a page expects around any of these: Graph says no, no credentials yet, or a key ring without their key.
UNREADABLE = (GraphError, NotEntered, CannotOpen)


@dataclass(frozen=True, slots=True)
class Found:
    """A person or group. `detail` is the user principal name or empty, `kind` a key of KINDS."""

    object_type: str
    object_id: str
    name: str
    detail: str
    kind: str

    @property
    def reference(self) -> str:
        return f"{self.object_type}:{self.object_id}"

    @property
    def kind_name(self) -> str:
        return str(KINDS.get(self.kind, ""))


def search(tenant: Tenant, text: str, top: int = 20) -> list[Found]:
    """Groups first, then people, by name, mail or object id; an empty list for less than two characters."""
    text = text.strip()
    if len(text) < SHORTEST_SEARCH:
        return []
    client = graph_client(tenant)
    groups = [found_group(item) for item in client.search_groups(text, top)]
    users = [found_user(item) for item in client.search_users(text, top)]
    return _remember(tenant, [*groups, *users])


def search_people(tenant: Tenant, text: str, top: int = 10) -> list[Found]:
    text = text.strip()
    if len(text) < SHORTEST_SEARCH:
        return []
    return _remember(tenant, [found_user(item) for item in graph_client(tenant).search_users(text, top)])


def person(tenant: Tenant, object_id: str, select: Sequence[str]) -> dict[str, Any]:
    """A Graph user with the properties of `select`, and `manager` ({"id", …} or None). Raises NotFound.

    What was read within the last half minute is given again: a page that is edited asks many times.
    """
    key = f"directory-person:{tenant.pk}:{object_id}:{zlib.crc32(','.join(select).encode())}"
    user: dict[str, Any] | None = cache.get(key)
    if user is None:
        client = graph_client(tenant)
        # A delta selects the manager like a property; a single user has it behind a path of its own.
        wanted = dict.fromkeys(["id", "displayName", *(name for name in select if name != "manager")])
        user = {**client.user(object_id, list(wanted)), "manager": client.manager(object_id)}
        cache.set(key, user, PERSON_SECONDS)
    return user


def named(tenant: Tenant, references: Iterable[str]) -> list[Found]:
    """What `user:<id>` and `group:<id>` are called, in that order; unknown ones are left out."""
    wanted = list(dict.fromkeys(references))
    known: dict[str, Found] = cache.get_many([_key(tenant, reference) for reference in wanted])
    missing = [reference for reference in wanted if _key(tenant, reference) not in known]
    read = [found for reference in missing if (found := _read(tenant, reference))]
    by_reference = {found.reference: found for found in [*known.values(), *_remember(tenant, read)]}
    return [by_reference[reference] for reference in wanted if reference in by_reference]


def last_name(tenant: Tenant, object_id: str) -> str:
    """What a person was called when last read, without asking Graph; "" when nobody knows."""
    found: Found | None = cache.get(_key(tenant, f"{ObjectType.USER.value}:{object_id}"))
    if found is not None:
        return found.name
    mirrored = DirectoryUser.objects.filter(tenant=tenant, object_id=object_id).first()
    return mirrored.display_name if mirrored else ""


def live_member_count(tenant: Tenant, group_id: str) -> int:
    """Direct members that are people, counted by Graph now (or within the last minute)."""
    key = f"directory-count:{tenant.pk}:{group_id}"
    count = cache.get(key)
    if count is None:
        members = graph_client(tenant).members(group_id)
        count = sum(1 for member in members if member.get("@odata.type") in {None, "#microsoft.graph.user"})
        cache.set(key, count, COUNT_SECONDS)
    return int(count)


def mirrored_member_counts(tenant: Tenant, group_ids: Iterable[str]) -> dict[str, int]:
    """Direct members that are people, as of the last sealed round; only groups that the mirror knows."""
    known = DirectoryGroup.objects.filter(tenant=tenant, object_id__in=list(group_ids), deleted="")
    counts = dict.fromkeys(known.values_list("object_id", flat=True), 0)
    people = DirectoryUser.objects.filter(tenant=tenant, deleted="").values("object_id")
    memberships = DirectoryMembership.objects.filter(tenant=tenant, group_id__in=list(counts))
    memberships = memberships.filter(member_id__in=people)
    for group_id in memberships.values_list("group_id", flat=True):
        counts[group_id] += 1
    return counts


def found_group(item: Mapping[str, Any]) -> Found:
    name = str(item.get("displayName") or item["id"])
    return Found(ObjectType.GROUP.value, str(item["id"]), name, "", group_kind(item))


def found_user(item: Mapping[str, Any]) -> Found:
    name = str(item.get("displayName") or item.get("userPrincipalName") or item["id"])
    kind = "guest" if item.get("userType") == "Guest" else "person"
    detail = str(item.get("userPrincipalName") or item.get("mail") or "")
    return Found(ObjectType.USER.value, str(item["id"]), name, detail, kind)


def group_kind(item: Mapping[str, Any]) -> str:
    types = item.get("groupTypes") or []
    if item.get("isAssignableToRole"):
        return "role-assignable"
    if "DynamicMembership" in types:
        return "dynamic"
    if "Unified" in types:
        return "microsoft365"
    if item.get("securityEnabled") is None:
        return "group"
    return "security" if item["securityEnabled"] else "distribution"


def _read(tenant: Tenant, reference: str) -> Found | None:
    object_type, _separator, object_id = reference.partition(":")
    client = graph_client(tenant)
    try:
        if object_type == ObjectType.GROUP:
            return found_group(client.group(object_id, GROUP_SELECT))
        return found_user(client.user(object_id, USER_SELECT))
    except NotFound:
        return None


def _remember(tenant: Tenant, found: list[Found]) -> list[Found]:
    cache.set_many({_key(tenant, one.reference): one for one in found}, REMEMBERED_SECONDS)
    return found


def _key(tenant: Tenant, reference: str) -> str:
    return f"directory:{tenant.pk}:{reference}"
