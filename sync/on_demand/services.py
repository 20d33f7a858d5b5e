"""Demands: asking for people or a group now, and carrying out what was asked, under the tenant's lease.

A demand has a run of its own (kind *On demand*), so that its requests stand in the logs under that word. While another
run is in progress, that run's thread carries it out between two requests; otherwise it takes the lease itself.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from sync import audit
from sync.connection.clients import graph_client
from sync.directory import live
from sync.directory.live import Found
from sync.directory.patience import LONG_SECONDS
from sync.graph.client import GraphClient
from sync.graph.errors import NotFound
from sync.models import Demand, DemandObject, DirectoryGroup, DirectoryUser, Run, Tenant
from sync.runs.requests import new_run
from sync.runs.restored import waits_for_comparison

MOST_PEOPLE = 50
# Of one person, in one tenant, that are not carried out yet: a demand holds up the tenant's syncs.
MOST_OPEN = 5


class CannotDemand(ValueError):
    """`code`: nobody, too-many, mixed, token-refused, restored, no-draft, draft-writes or too-many-open."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotFoundByName(ValueError):
    """`unknown` and `ambiguous`: the texts of which Entra knows nobody, or more than one."""

    def __init__(self, unknown: list[str], ambiguous: list[str]) -> None:
        super().__init__(", ".join([*unknown, *ambiguous]))
        self.unknown = unknown
        self.ambiguous = ambiguous


# Asking


def check_chosen(objects: Sequence[Found]) -> None:
    """One to fifty people, or one group. Raises CannotDemand."""
    groups = sum(one.object_type == "group" for one in objects)
    if not objects:
        raise CannotDemand("nobody")
    if groups and len(objects) > 1:
        raise CannotDemand("mixed")
    if len(objects) > MOST_PEOPLE:
        raise CannotDemand("too-many")


def request_demand(
    *,
    tenant: Tenant,
    actor: str,
    objects: Sequence[Found],
    dry_run: bool = True,
    drafted: bool = False,
    enqueue: bool = True,
) -> Demand:
    """A waiting demand with its run. `drafted`: by the draft's rules, which only a dry run may follow. Raises CannotDemand."""
    check_chosen(objects)
    if drafted:
        _check_draft(tenant, dry_run)
    if not dry_run and token_refused(tenant):
        raise CannotDemand("token-refused")
    if not dry_run and waits_for_comparison(tenant):
        raise CannotDemand("restored")
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        if tenant.demands.filter(requested_by=actor, state__in=Demand.OPEN).count() >= MOST_OPEN:
            raise CannotDemand("too-many-open")
        run = new_run(tenant, Run.Kind.ON_DEMAND, Run.Trigger.PERSON, actor, enqueue=enqueue)
        rules = {"dry_run": dry_run, "drafted": drafted}
        demand = Demand.objects.create(tenant=tenant, requested_by=actor, run=run, **rules)
        DemandObject.objects.bulk_create(
            DemandObject(
                demand=demand,
                position=position,
                object_type=one.object_type,
                object_id=one.object_id,
                display_name=one.name[:256],
            )
            for position, one in enumerate(objects)
        )
        names = [one.name for one in objects]
        audit.record(actor, "demand.request", run, None, {"objects": names, **rules})
    return demand


def _check_draft(tenant: Tenant, dry_run: bool) -> None:
    if not dry_run:
        raise CannotDemand("draft-writes")
    draft = tenant.configurations.draft()
    # As long as no version is published, runs use the draft itself.
    if draft is None or draft == tenant.configurations.current():
        raise CannotDemand("no-draft")


def token_refused(tenant: Tenant) -> bool:
    """Writing rests until AWS takes a token again: a test that passed after the refusal shows that it does."""
    refused_at = tenant.quarantined_at if tenant.quarantine_code == "token-refused" else None
    tested_at = tenant.aws.tested_at if tenant.aws.passed else None
    return refused_at is not None and (tested_at is None or tested_at < refused_at)


def resolve_names(
    tenant: Tenant, texts: Sequence[str], object_type: str = "user", *, patient: bool = False
) -> list[Found]:
    """Object ids, user principal names or exact names. Raises NotFoundByName and one of directory.UNREADABLE.

    `patient`: nobody waits in front of a page."""
    client = graph_client(tenant) if patient else live.client_of(tenant, LONG_SECONDS)
    found: dict[str, Found] = {}
    unknown: list[str] = []
    ambiguous: list[str] = []
    for text in dict.fromkeys(line.strip() for line in texts if line.strip()):
        candidates = _candidates(tenant, client, text, object_type)
        if len(candidates) == 1:
            found[candidates[0].reference] = candidates[0]
        else:
            (ambiguous if candidates else unknown).append(text)
    if unknown or ambiguous:
        raise NotFoundByName(unknown, ambiguous)
    return list(found.values())


def _candidates(tenant: Tenant, client: GraphClient, text: str, object_type: str) -> list[Found]:
    """What has this id or user principal name, else what is called exactly so; then who has left, by the mirror."""
    if object_type == "user" and ("@" in text or live.is_guid(text)):
        try:
            return [live.found_user(client.user(text, live.USER_SELECT))]
        except NotFound:
            return _mirrored(tenant, text, object_type)
    if object_type == "group" and live.is_guid(text):
        try:
            return [live.found_group(client.group(text, live.GROUP_SELECT))]
        except NotFound:
            return _mirrored(tenant, text, object_type)
    if object_type == "user":
        named = [live.found_user(item) for item in client.search_users(text)]
    else:
        named = [live.found_group(item) for item in client.search_groups(text)]
    exact = [one for one in named if text.casefold() in (one.name.casefold(), one.detail.casefold())]
    return exact or _mirrored(tenant, text, object_type)


def _mirrored(tenant: Tenant, text: str, object_type: str) -> list[Found]:
    """Deleted people and groups are found as well: they are what is asked for when somebody is still in AWS."""
    if object_type == "group":
        groups = DirectoryGroup.objects.filter(Q(object_id=text) | Q(display_name__iexact=text), tenant=tenant)
        return [Found("group", group.object_id, str(group), "", "group") for group in groups[:2]]
    by_name = Q(user_principal_name__iexact=text) | Q(display_name__iexact=text)
    users = DirectoryUser.objects.filter(Q(object_id=text) | by_name, tenant=tenant)
    return [Found("user", user.object_id, str(user), user.user_principal_name, "person") for user in users[:2]]
