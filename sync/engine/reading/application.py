"""The enterprise application's own assignments (`appRoleAssignedTo`), mirrored as assignments of the tenant.

Graph has no delta for them (serviceprincipal-list-approleassignedto), so that each run reads the whole list. What the
admin assigned here stays; what came from the application goes with it.
"""

from collections.abc import Set
from functools import partial

import structlog
from django.db import transaction

from sync.engine.reading.ahead import answered
from sync.engine.reading.sanity import FEW, shrink_accepted, suspect
from sync.engine.work import touch
from sync.graph.client import GraphClient
from sync.graph.errors import BadAnswer, GraphError
from sync.models import Assignment, Configuration, Snapshot
from sync.rules.limits import Limits
from sync.runs.lease import Watch

log = structlog.get_logger(__name__)

SHRUNK, UNREAD = "app-assignments-shrunk", "app-assignments-unread"
TYPES = {"User": "user", "Group": "group"}
# (object type, object id): the name as Graph tells it.
Principals = dict[tuple[str, str], str]


def mirror(snapshot: Snapshot, graph: GraphClient, watch: Watch) -> None:
    """A list that cannot be read, or that is far too short, changes nothing and makes the snapshot suspect.

    The draft carries a copy, and the list of its own application when it names another one: so that its preview counts
    whom the application brings. What goes wrong there is no business of the run.
    """
    current, draft = snapshot.tenant.configurations.current(), snapshot.tenant.configurations.draft()
    found: dict[str, Principals] = {}
    for configuration in [current, *([draft] if draft is not None and draft != current else [])]:
        app = configuration.mirrored_app
        if not app:
            continue
        try:
            found[app] = found.get(app) or answered(watch, partial(principals, graph, app))
        except GraphError as error:
            if configuration == current:
                suspect(snapshot, UNREAD, {"app": app, "error": str(error)})
            log.warning("assignments of the enterprise application not read", app=app)
            continue
        if configuration == current:
            _mirror_current(snapshot, configuration, found[app])
        elif not snapshot.suspect:
            _apply(configuration, found[app])


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
def _mirror_current(snapshot: Snapshot, configuration: Configuration, found: Principals) -> None:
    Configuration.objects.select_for_update().get(pk=configuration.pk)
    mirrored = configuration.assignments.filter(mirrored=True).values_list("object_type", "object_id")
    before, gone = len(mirrored), len(set(mirrored) - found.keys())
    if _too_few(snapshot, before, gone, len(found)):
        suspect(snapshot, SHRUNK, {"before": before, "seen": len(found), "missing": gone})
        return
    _touch(snapshot, _apply(configuration, found))


@transaction.atomic
def _apply(configuration: Configuration, found: Principals) -> set[tuple[str, str]]:
    """What came or went."""
    rows = {(row.object_type, row.object_id): row for row in configuration.assignments.all()}
    gone = {key for key, row in rows.items() if row.mirrored} - found.keys()
    configuration.assignments.filter(pk__in=[rows[key].pk for key in gone]).delete()
    new = {key: name for key, name in found.items() if key not in rows}
    Assignment.objects.bulk_create((_assignment(configuration, key, name) for key, name in new.items()), batch_size=500)
    return gone | new.keys()


def _too_few(snapshot: Snapshot, before: int, gone: int, found: int) -> bool:
    """An empty list is never believed; somebody who wants that ends the mirroring."""
    if not found or not gone:
        return bool(before) and not found
    percent = Limits.of(snapshot.tenant.limits).shrink_percent
    return gone > FEW and gone * 100 > percent * before and not shrink_accepted(snapshot.tenant)


def _assignment(configuration: Configuration, key: tuple[str, str], name: str) -> Assignment:
    return Assignment(
        configuration=configuration, object_type=key[0], object_id=key[1], display_name=name[:256], mirrored=True
    )


def _touch(snapshot: Snapshot, keys: Set[tuple[str, str]]) -> None:
    """Members of the groups follow when their inclusion changes (sync/engine/scope/nesting.py)."""
    of = {kind: {key for of_kind, key in keys if of_kind == kind} for kind in TYPES.values()}
    touch(snapshot, of["user"], of["group"])
    if keys:
        log.info("assignments of the enterprise application changed", changed=len(keys))
