"""The enterprise application's own assignments (`appRoleAssignedTo`), mirrored as assignments of the tenant.

Graph has no delta for them (serviceprincipal-list-approleassignedto), so that each run reads the whole list. What the
admin assigned here stays; what came from the application goes with it.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import transaction

from sync.fetching import answered
from sync.graph.client import GraphClient
from sync.graph.errors import BadAnswer, GraphError
from sync.guarding import limits_of
from sync.leases import Watch
from sync.mirror import touch
from sync.models import Assignment, Configuration, Snapshot
from sync.sanity import FEW, shrink_accepted, suspect

log = structlog.get_logger(__name__)

SHRUNK, UNREAD = "app-assignments-shrunk", "app-assignments-unread"
TYPES = {"User": "user", "Group": "group"}
# (object type, object id): the name as Graph tells it.
Principals = dict[tuple[str, str], str]


def mirror(snapshot: Snapshot, graph: GraphClient, watch: Watch) -> None:
    """A list that cannot be read, or that is far too short, changes nothing and makes the snapshot suspect."""
    configuration = snapshot.tenant.configurations.current()
    if not configuration.mirrored_app:
        return
    try:
        found = answered(watch, lambda: principals(graph, configuration.mirrored_app))
    except GraphError as error:
        suspect(snapshot, UNREAD, {"app": configuration.mirrored_app, "error": str(error)})
        return
    if _apply(snapshot, configuration, found):
        _apply_to_draft(snapshot, configuration, found)


def principals(graph: GraphClient, service_principal_id: str) -> Principals:
    """People and groups, each once, although they may hold several roles."""
    found: Principals = {}
    for item in graph.app_role_assigned_to(service_principal_id):
        key, kind = item.get("principalId"), item.get("principalType")
        if not isinstance(key, str) or not isinstance(kind, str):
            raise BadAnswer("Graph sent an assignment without its principal.", status=200)
        if kind in TYPES:
            found[TYPES[kind], key] = str(item.get("principalDisplayName") or "")
    return found


@transaction.atomic
def _apply(snapshot: Snapshot, configuration: Configuration, found: Principals) -> bool:
    """Whether the list was believed."""
    Configuration.objects.select_for_update().get(pk=configuration.pk)
    rows = {(row.object_type, row.object_id): row for row in configuration.assignments.all()}
    mirrored = {key: row for key, row in rows.items() if row.mirrored}
    gone = mirrored.keys() - found.keys()
    if _too_few(snapshot, len(mirrored), len(gone), len(found)):
        suspect(snapshot, SHRUNK, {"before": len(mirrored), "seen": len(found), "missing": len(gone)})
        return False
    configuration.assignments.filter(pk__in=[mirrored[key].pk for key in gone]).delete()
    new = {key: name for key, name in found.items() if key not in rows}
    Assignment.objects.bulk_create((_assignment(configuration, key, name) for key, name in new.items()), batch_size=500)
    _touch(snapshot, {**new, **dict.fromkeys(gone, "")})
    return True


def _apply_to_draft(snapshot: Snapshot, current: Configuration, found: Principals) -> None:
    """The draft carries a copy: it is no change of the admin's, and publishing must not undo it."""
    draft = snapshot.tenant.configurations.draft()
    if draft is not None and draft != current and draft.mirrored_app == current.mirrored_app:
        _apply(snapshot, draft, found)


def _too_few(snapshot: Snapshot, before: int, gone: int, found: int) -> bool:
    """An empty list is never believed; somebody who wants that ends the mirroring."""
    if not found or not gone:
        return bool(before) and not found
    percent = limits_of(snapshot.tenant).shrink_percent
    return gone > FEW and gone * 100 > percent * before and not shrink_accepted(snapshot.tenant)


def _assignment(configuration: Configuration, key: tuple[str, str], name: str) -> Assignment:
    return Assignment(
        configuration=configuration, object_type=key[0], object_id=key[1], display_name=name[:256], mirrored=True
    )


def _touch(snapshot: Snapshot, keys: Mapping[tuple[str, str], Any]) -> None:
    """Members of the groups follow when their inclusion changes (sync/inclusion.py)."""
    of = {kind: {key for of_kind, key in keys if of_kind == kind} for kind in TYPES.values()}
    touch(snapshot, of["user"], of["group"])
    if keys:
        log.info("assignments of the enterprise application changed", tenant=snapshot.tenant_id, changed=len(keys))
