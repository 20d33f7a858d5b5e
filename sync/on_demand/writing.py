"""Last act: the plan of this object carried out, and AWS's word compared with what was written."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from sync.configuration.ruleset import redacted_units
from sync.engine.evaluation.batch import links_of
from sync.engine.export.stages import export
from sync.engine.guard import holds
from sync.models import Drift, Link, Result
from sync.on_demand.asked import Asked
from sync.on_demand.deciding import Decision
from sync.on_demand.steps import result_of, shown
from sync.rules import drift
from sync.rules.changes import MANAGER
from sync.rules.matching import name_of
from sync.runs.phases import PhaseLog
from sync.scim import resource
from sync.scim.errors import NotFound as NotInAws
from sync.standings import leaving
from sync.standings import services as standings

NOTHING: Mapping[str, Any] = {}


def write(asked: Asked, decision: Decision) -> None:
    if any(row.result == Result.PLANNED for row in decision.operations):
        export(asked.run, asked.watch, PhaseLog(asked.run, asked.watch.clock), asked.scim, 1)
        holds.close_done(asked.run)
    rows = list(asked.run.operations.filter(pk__gt=asked.before).order_by("stage", "pk"))
    written = [shown(row) for row in rows]
    bad = next((row for row in rows if row.result in (Result.FAILED, Result.WILL_RETRY)), None)
    if bad is not None:
        asked.steps.failed("write", bad.problem, operations=written, attribute=bad.attribute, error=bad.error)
    elif all(row.result == Result.HELD for row in rows):
        asked.steps.skipped("write", why="held", operations=written)
    else:
        asked.steps.done("write", operations=written)
    same = read_back(asked)
    asked.steps.end(result_of(rows) if same else Result.FAILED)


def read_back(asked: Asked) -> bool:
    """Whether AWS holds what was written last."""
    link = asked.link
    if link is None or not link.scim_id:
        asked.steps.skipped("read_back")
        return True
    try:
        answer = asked.scim.get_user(link.scim_id) if asked.is_user else asked.scim.get_group(link.scim_id)
    except NotInAws:
        _note(asked, link, Drift.Kind.MISSING)
        standings.refresh_links([link])
        asked.steps.failed("read_back", "not-found-link", scim_id=link.scim_id)
        return False
    differs: Mapping[str, Any] = _differences(asked, link, answer.resource or {})
    members = _memberships_that_differ(asked, link)
    if not members:
        # What was found before gives way to what follows.
        Link.objects.filter(pk=link.pk).update(read_at=timezone.now())
    differs = _note(asked, link, Drift.Kind.DIFFERS, differs) if differs else {}
    standings.refresh_links([link])
    if differs or members:
        shown = {unit: _as_shown(unit, one) for unit, one in differs.items()}
        asked.steps.failed("read_back", "differs", differences=shown, memberships=members, scim_id=link.scim_id)
        return False
    asked.steps.done("read_back", scim_id=link.scim_id, fields=len(link.written))
    return True


@transaction.atomic
def _note(asked: Asked, link: Link, kind: Drift.Kind, facts: Mapping[str, Any] = NOTHING) -> Mapping[str, Any]:
    """What was read counts like a comparison of this one object. The facts without what somebody decided to leave."""
    mine = {"object_type": link.object_type, "object_id": link.object_id, "scim_id": link.scim_id}
    name = name_of(link.written)[:1024]
    row = Drift.objects.create(
        run=asked.run, tenant=asked.tenant, kind=kind, link=link, name=name, facts=dict(facts), **mine
    )
    rows = Drift.objects.filter(pk=row.pk)
    leaving.note(rows, link.left_differences.all())
    return next((one.facts for one in rows.filter(left_alone=False)), NOTHING)


def _as_shown(unit: str, one: Mapping[str, Any]) -> dict[str, Any]:
    return {"before": _plain(unit, one["held"]), "after": _plain(unit, one["written"])}


def _differences(asked: Asked, link: Link, held: Mapping[str, Any]) -> dict[str, Any]:
    """Units in AWS that are not what was written; a unit that is unknown (its answer got lost) says nothing."""
    written = dict(link.written)
    if isinstance(written.get(MANAGER), dict):
        manager = links_of(asked.tenant, "user", [written[MANAGER]["value"]]).get(written[MANAGER]["value"])
        written[MANAGER] = {"value": manager.scim_id if manager else ""}
    found = drift.differences(written, resource.units_held(held, written), written)
    hidden = redacted_units(asked.tenant)[link.object_type]
    redacted = dict.fromkeys(("written", "held"), resource.REDACTED)
    return {unit: redacted if unit in hidden else one for unit, one in found.items()}


def _plain(unit: str, value: Any) -> Any:
    """A manager is shown by id alone."""
    return value.get("value", "") if unit == MANAGER and isinstance(value, Mapping) else value


def _memberships_that_differ(asked: Asked, link: Link) -> list[str]:
    """Names of those who are not members in AWS although they were written; of a person: the groups."""
    if not asked.is_user:
        held = set(asked.scim.members_of(link.scim_id))
        rows = link.member_links.filter(certain=True).select_related("user")
        return [row.user.object_id for row in rows if row.user.scim_id not in held]
    missing = []
    for row in link.group_links.filter(certain=True).select_related("group"):
        if link.scim_id not in _members_like(asked, row.group.scim_id, link.scim_id):
            missing.append(str(row.group.written.get("displayName") or row.group.object_id))
    return missing


def _members_like(asked: Asked, group_id: str, user_id: str) -> set[str]:
    if asked.scim.endpoint.dialect != "aws":
        return set(asked.scim.members_of(group_id))
    # AWS answers whether one group holds one person (Developer Guide, ListGroups: id and members).
    question = f'id eq "{group_id}" and members eq "{user_id}"'
    return {user_id} if any(True for _group in asked.scim.list_groups(question)) else set()
