"""Intents without a result, left by a worker that died: what became of each is read from AWS before anything is planned."""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sync.engine.export import settling
from sync.engine.export.settling import Settled
from sync.models import Link, Operation, Result, Run
from sync.rules.drift import same
from sync.runs.checkpoints import passed
from sync.scim import resource
from sync.scim.client import ScimClient
from sync.scim.errors import NotFound
from sync.scim.resource import MANAGER
from sync.scim.writing import TwoMatches, Written, find_created

Found = dict[str, Any] | None


def resolve_open_intents(run: Run, client: ScimClient) -> None:
    """Raises ScimError when AWS cannot be read; the intents then stay open."""
    for operation in Operation.objects.filter(tenant_id=run.tenant_id, result=Result.SENT).order_by("pk"):
        settled = Settled(run.tenant_id, settling.links_of([operation]))
        applied, found = _read(operation, settled.link_of(operation), client)
        with transaction.atomic():
            _settle(settled, operation, found, applied=applied)
        passed("intent resolved")


def forget_decisions(run: Run) -> None:
    """What an interrupted attempt had decided without a request is decided anew, and counts once."""
    if run.attempts < 2:
        return
    run.operations.filter(Q(sent_at=None) | Q(result=Result.PLANNED)).delete()
    run.rehearsed.all().delete()


def _read(operation: Operation, link: Link, client: ScimClient) -> tuple[bool, Found]:
    """Whether the request took effect, and the object that it made."""
    if operation.action == "create":
        try:
            found = find_created(client, operation.object_type, operation.desired)
        except TwoMatches:
            found = None
        return found is not None, found
    scim_id = operation.scim_id or link.scim_id
    # Memberships are idempotent and cheaper to write again than to read.
    if operation.object_type == "membership" or not scim_id:
        return False, None
    return _holds(operation, scim_id, client), None


def _holds(operation: Operation, scim_id: str, client: ScimClient) -> bool:
    get = client.get_user if operation.object_type == "user" else client.get_group
    try:
        found = get(scim_id).resource or {}
    except NotFound:
        return operation.action == "delete"
    if operation.action == "delete" or MANAGER in operation.desired:
        # A manager is written by AWS id and kept by Entra id: it is written again.
        return False
    held = resource.units_held(found, operation.desired)
    return all(same(unit, value, held.get(unit)) for unit, value in operation.desired.items())


def _settle(settled: Settled, operation: Operation, found: Found, *, applied: bool) -> None:
    now, link = timezone.now(), settled.link_of(operation)
    if applied:
        if found is not None:
            operation.scim_id = found["id"]
        named = settling.members(operation.tenant_id, operation.member_ids)
        settled.succeed(operation, Written(), named, now)
    else:
        settled.unknown(operation, link)
        settled.skip(operation, "answer-lost", now)
        settled.operations.append(operation)
    operation.problem = "answer-lost"
    settled.save()
