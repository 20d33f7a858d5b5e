"""Live look-ups in Entra for pages: searching, and reading one person. Nothing here is written to the mirror.

Every function may raise one of UNREADABLE; a page then says so and goes on without. What a search found is
remembered for an hour, so that a list of chosen people and groups keeps its names without asking Graph again.
"""

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.connection.clients import NotEntered, page_graph_client
from sync.connection.sealing import CannotOpen
from sync.directory.patience import CONNECT_SECONDS, READ_SECONDS, Patience, of_page
from sync.graph import ids
from sync.graph.client import GraphClient
from sync.graph.errors import Forbidden, GraphError, NotFound, Throttled
from sync.models import DirectoryGroup, DirectoryUser, ObjectType, Tenant

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

# When Graph asks to be left alone without saying for how long.
THROTTLED_SECONDS, LONGEST_WAIT = 5, 60

GROUP_SELECT = ("id", "displayName", "securityEnabled", "mailEnabled", "groupTypes", "isAssignableToRole")
GROUP_FACTS = ("mail", "description", "membershipRule", "membershipRuleProcessingState")
USER_SELECT = ("id", "displayName", "userPrincipalName", "mail", "jobTitle", "userType")


# What is an object id, for pages too.
GUID, is_guid = ids.GUID, ids.is_guid

# What a page expects around any of these: Graph says no, no credentials yet, or a key ring without their key.
UNREADABLE = (GraphError, NotEntered, CannotOpen)
# One of them: the app registration lacks the permission for what was asked.
FORBIDDEN = Forbidden


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


def client_of(tenant: Tenant, seconds: float | None = None) -> GraphClient:
    """For a page: it tries once, holds its thread for so long as pages do or so many seconds, and says what is wrong."""
    gate = of_page() if seconds is None else Patience(seconds)
    return page_graph_client(tenant, gate, connect=CONNECT_SECONDS, read=READ_SECONDS)


def seconds_to_wait(error: Exception) -> int:
    """After so many seconds Graph answers again; 0: it is not a matter of waiting."""
    if not isinstance(error, Throttled):
        return 0
    return min(LONGEST_WAIT, math.ceil(error.retry_after or THROTTLED_SECONDS))


def search(tenant: Tenant, text: str, top: int = 20) -> list[Found]:
    """Groups first, then people, by name, mail or object id; an empty list for less than two characters."""
    text = text.strip()
    if len(text) < SHORTEST_SEARCH:
        return []
    client = client_of(tenant)
    groups = [found_group(item) for item in client.search_groups(text, top)]
    users = [found_user(item) for item in client.search_users(text, top)]
    return _remember(tenant, [*groups, *users])


def search_people(tenant: Tenant, text: str, top: int = 10) -> list[Found]:
    text = text.strip()
    if len(text) < SHORTEST_SEARCH:
        return []
    return _remember(tenant, [found_user(item) for item in client_of(tenant).search_users(text, top)])


def person(tenant: Tenant, object_id: str, select: Sequence[str]) -> dict[str, Any]:
    """A Graph user with the properties of `select`, and `manager` ({"id", …} or None). Raises NotFound.

    What was read within the last half minute is given again: a page that is edited asks many times.
    """
    key = f"directory-person:{tenant.pk}:{object_id}:{zlib.crc32(','.join(select).encode())}"
    user: dict[str, Any] | None = cache.get(key)
    if user is None:
        client = client_of(tenant)
        # A delta selects the manager like a property; a single user has it behind a path of its own.
        wanted = dict.fromkeys(["id", "displayName", *(name for name in select if name != "manager")])
        user = {**client.user(object_id, list(wanted)), "manager": client.manager(object_id)}
        cache.set(key, user, PERSON_SECONDS)
    return user


def named(tenant: Tenant, references: Iterable[str]) -> list[Found]:
    """What `user:<id>` and `group:<id>` are called, in that order; unknown ones are left out.

    Remembered, else as the mirror has them, else asked of Graph, many at once.
    """
    wanted = list(dict.fromkeys(references))
    found = known(tenant, wanted)
    missing = [reference for reference in wanted if reference not in found]
    found |= {one.reference: one for one in _remember(tenant, _read(tenant, missing))}
    return [found[reference] for reference in wanted if reference in found]


def known(tenant: Tenant, references: Iterable[str]) -> dict[str, Found]:
    """By reference, without asking Graph."""
    wanted = list(dict.fromkeys(references))
    remembered = cache.get_many([_key(tenant, reference) for reference in wanted])
    found = {one.reference: one for one in map(_recalled, remembered.values()) if one}
    missing = [reference for reference in wanted if reference not in found]
    return found | {one.reference: one for one in _mirrored(tenant, missing)}


def last_name(tenant: Tenant, object_id: str) -> str:
    """What a person was called when last read, without asking Graph; "" when nobody knows."""
    found = _recalled(cache.get(_key(tenant, f"{ObjectType.USER.value}:{object_id}")))
    if found is not None:
        return found.name
    mirrored = DirectoryUser.objects.filter(tenant=tenant, object_id=object_id).first()
    return mirrored.display_name if mirrored else ""


def live_member_count(tenant: Tenant, group_id: str) -> int:
    """Direct members that are people, counted by Graph now (or within the last minute)."""
    key = f"directory-count:{tenant.pk}:{group_id}"
    count = cache.get(key)
    if count is None:
        members = client_of(tenant).members(group_id)
        count = sum(1 for member in members if member.get("@odata.type") in {None, "#microsoft.graph.user"})
        cache.set(key, count, COUNT_SECONDS)
    return int(count)


def application_name(tenant: Tenant, service_principal_id: str) -> str:
    """What an enterprise application is called. Raises NotFound."""
    return known_application(tenant, service_principal_id) or _remember_application(
        tenant, client_of(tenant).application(service_principal_id)
    )


def known_application(tenant: Tenant, service_principal_id: str) -> str:
    """The same without asking Graph; "" when nobody remembers."""
    return str(cache.get(_application_key(tenant, service_principal_id), ""))


def applications(tenant: Tenant, text: str) -> list[dict[str, str]]:
    """Enterprise applications by the beginning of their name or by object id: their `id` and `name`."""
    text = text.strip()
    if len(text) < SHORTEST_SEARCH:
        return []
    client = client_of(tenant)
    try:
        found = [client.application(text)] if is_guid(text) else client.applications(text)
    except NotFound:
        found = []
    return [{"id": str(one["id"]), "name": _remember_application(tenant, one)} for one in found]


def _remember_application(tenant: Tenant, item: Mapping[str, Any]) -> str:
    name = str(item.get("displayName") or item["id"])
    cache.set(_application_key(tenant, str(item["id"])), name, REMEMBERED_SECONDS)
    return name


def _application_key(tenant: Tenant, service_principal_id: str) -> str:
    return f"directory-application:{tenant.pk}:{service_principal_id}"


def group_now(tenant: Tenant, group_id: str) -> dict[str, Any] | None:
    """A group as Graph has it now, with the rule of a dynamic one; None when it is gone."""
    try:
        return client_of(tenant).group(group_id, (*GROUP_SELECT, *GROUP_FACTS))
    except NotFound:
        return None


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


def _mirrored(tenant: Tenant, references: Sequence[str]) -> list[Found]:
    ids = _by_type(references)
    groups = DirectoryGroup.objects.filter(tenant=tenant, deleted="", object_id__in=ids[ObjectType.GROUP])
    users = DirectoryUser.objects.filter(tenant=tenant, deleted="", object_id__in=ids[ObjectType.USER])
    return [*map(mirrored_group, groups), *map(mirrored_user, users)]


def mirrored_group(row: DirectoryGroup) -> Found:
    return found_group({**row.properties, "id": row.object_id, "displayName": row.display_name})


def mirrored_user(row: DirectoryUser) -> Found:
    names = {"displayName": row.display_name, "userPrincipalName": row.user_principal_name}
    return found_user({**row.properties, "id": row.object_id, **names})


def _read(tenant: Tenant, references: Sequence[str]) -> Iterator[Found]:
    if not references:
        return
    client, ids = client_of(tenant), _by_type(references)
    yield from map(found_group, client.having("groups", "id", ids[ObjectType.GROUP], GROUP_SELECT))
    yield from map(found_user, client.having("users", "id", ids[ObjectType.USER], USER_SELECT))


def _by_type(references: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {kind.value: [] for kind in ObjectType}
    for reference in references:
        object_type, _separator, object_id = reference.partition(":")
        found[object_type].append(object_id)
    return found


def _remember(tenant: Tenant, found: Iterable[Found]) -> list[Found]:
    rows = list(found)
    cache.set_many({_key(tenant, one.reference): asdict(one) for one in rows}, REMEMBERED_SECONDS)
    return rows


def _recalled(facts: dict[str, str] | None) -> Found | None:
    return Found(**facts) if facts else None


def _key(tenant: Tenant, reference: str) -> str:
    return f"directory:{tenant.pk}:{reference}"
