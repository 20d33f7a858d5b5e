"""Reading: Graph rounds into the directory mirror, page by page, under a snapshot that is sealed only when all is there.

A page is read first and applied after, together with the place where the round goes on, so that an interrupted round
can be resumed. Delta answers are merged per object id, in stream order, idempotently: replays and duplicates are legal
(Microsoft Graph, delta query overview).
"""

import datetime
from collections.abc import Callable, Iterator, Sequence

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sync.engine.reading import application, memberships, sanity
from sync.engine.reading.ahead import fetched
from sync.engine.reading.pages import apply_groups, apply_users
from sync.engine.reading.sanity import SourceEmpty
from sync.engine.reading.tracked import covers, must_be_full, parts, tracked
from sync.graph.client import DeltaPage, GraphClient
from sync.graph.errors import GraphError, NotFound, Rejected, ResyncRequired
from sync.models import DirectoryGroup, DirectoryUser, Snapshot, Tenant
from sync.runs import checkpoints
from sync.runs.lease import Watch
from sync.standings import services as standings

log = structlog.get_logger(__name__)

# Page tokens are short-lived: an older round begins anew.
RESUME_WITHIN = datetime.timedelta(hours=1)
# Entra purges whoever was deleted softly after 30 days.
RECYCLE_BIN = datetime.timedelta(days=31)


def read_directory(
    tenant: Tenant,
    graph: GraphClient,
    watch: Watch,
    users_select: Sequence[str],
    groups_select: Sequence[str],
    *,
    full: bool,
) -> Snapshot:
    """One round over users and groups, sealed. A link that Graph refuses leads to a fresh full round, and a page of that one to one more.

    Raises SourceEmpty, GraphError, Cancelled, LeaseLost; the snapshot then stays unsealed and decides nothing.
    """
    select = tracked(graph, users_select, groups_select)
    full = full or must_be_full(tenant, select)
    snapshot = _interrupted(tenant, select, full=full)
    # Links go on telling what was selected when they began.
    snapshot = snapshot or _begin(tenant, select if full else tenant.tracked_select, full=full)
    again = False
    while True:
        try:
            _read_round(snapshot, graph, watch)
        except (ResyncRequired, NotFound, Rejected) as error:
            if snapshot.full and (again or not _began(snapshot)):
                raise
            log.info("a link was refused: reading everybody", code=error.code, status=error.status)
            again = snapshot.full
            _forget(snapshot)
            snapshot = _begin(tenant, select, full=True)
        else:
            return snapshot


# The round


def _begin(tenant: Tenant, select: list[str], *, full: bool) -> Snapshot:
    return Snapshot.objects.create(tenant=tenant, full=full, select=select)


def _interrupted(tenant: Tenant, select: list[str], *, full: bool) -> Snapshot | None:
    """The newest round, when it was left before its end and can go on."""
    last = Snapshot.objects.filter(tenant=tenant).order_by("-pk").first()
    if last is None or last.sealed_at is not None or last.full != full or not covers(last.select, select):
        return None
    young = timezone.now() - last.started_at < RESUME_WITHIN
    last.tenant = tenant
    return last if young and _began(last) else None


def _began(snapshot: Snapshot) -> bool:
    return bool(snapshot.users_next or snapshot.users_link)


def _forget(snapshot: Snapshot) -> None:
    """Nothing goes on from here."""
    snapshot.users_next = snapshot.users_link = snapshot.groups_next = snapshot.groups_link = ""
    snapshot.save(update_fields=["users_next", "users_link", "groups_next", "groups_link"])


def _read_round(
    snapshot: Snapshot,
    graph: GraphClient,
    watch: Watch,
) -> None:
    users_select, groups_select, _asker = parts(snapshot.select)
    try:
        _read_stream(snapshot, watch, "users", lambda link: graph.users_delta(users_select, link), apply_users)
        _read_stream(snapshot, watch, "groups", lambda link: graph.groups_delta(groups_select, link), apply_groups)
        checkpoints.passed("pages read")
        _finish(snapshot, graph, watch)
    except (GraphError, SourceEmpty) as error:
        # What would fail again is not taken up where it failed.
        if getattr(error, "permanent", True) and not isinstance(error, ResyncRequired | NotFound | Rejected):
            _forget(snapshot)
        raise


def _read_stream(
    snapshot: Snapshot,
    watch: Watch,
    name: str,
    pages: Callable[[str | None], Iterator[DeltaPage]],
    apply: Callable[[Snapshot, DeltaPage], None],
) -> None:
    """`name`: users or groups. A stream whose deltaLink is known was read before the interruption."""
    if getattr(snapshot, f"{name}_link"):
        return
    link = getattr(snapshot, f"{name}_next") or (None if snapshot.full else getattr(snapshot.tenant, f"{name}_link"))
    for page in fetched(watch, pages(link)):
        with transaction.atomic():
            apply(snapshot, page)
            setattr(snapshot, f"{name}_next", page.next_link or "")
            setattr(snapshot, f"{name}_link", page.delta_link or "")
            snapshot.save(update_fields=[f"{name}_next", f"{name}_link"])
        checkpoints.passed("page applied")


def _finish(snapshot: Snapshot, graph: GraphClient, watch: Watch) -> None:
    """All is read; what it means is asked about before the snapshot is sealed."""
    if snapshot.full:
        sanity.check(snapshot, graph, watch)
    application.mirror(snapshot, graph, watch)
    proofs = {} if shrunk(snapshot) else memberships.prove(snapshot, graph, watch)
    seal(snapshot, proofs)
    checkpoints.passed("snapshot sealed")


def shrunk(snapshot: Snapshot) -> bool:
    return snapshot.suspect == sanity.SHRUNK


@transaction.atomic
def seal(snapshot: Snapshot, proofs: memberships.Proofs) -> None:
    """Only now may absence mean something: a full round ends with the set difference against the mirror."""
    if not shrunk(snapshot):
        if snapshot.full:
            _note_absent(snapshot)
        memberships.settle(snapshot, proofs)
    sanity.count(snapshot)
    snapshot.sealed_at = timezone.now()
    snapshot.save()
    _keep_links(snapshot)


def _keep_links(snapshot: Snapshot) -> None:
    """After a round that nobody believes there are none: the next one reads everybody again."""
    tenant, good = snapshot.tenant, not shrunk(snapshot)
    tenant.users_link = snapshot.users_link if good else ""
    tenant.groups_link = snapshot.groups_link if good else ""
    tenant.tracked_select = snapshot.select
    tenant.links_at = snapshot.sealed_at if good else None
    fields = ["users_link", "groups_link", "tracked_select", "links_at"]
    if snapshot.full and good:
        tenant.full_read_at, tenant.shrink_accepted_at = snapshot.sealed_at, None
        tenant.shrink_accepted_empty = []
        fields += ["full_read_at", "shrink_accepted_at", "shrink_accepted_empty"]
    tenant.save(update_fields=fields)


def _note_absent(snapshot: Snapshot) -> None:
    """Absence tells that an object is deleted, not whether it is purged: only its age, or a round, does."""
    changed = {"changed_snapshot": snapshot.pk}
    long_ago = timezone.now() - RECYCLE_BIN
    unseen = Q(tenant=snapshot.tenant, seen_snapshot__lt=snapshot.pk)
    old = DirectoryUser.objects.filter(unseen, deleted="soft", scope_reason="deleted", scope_at__lt=long_ago)
    old.update(deleted="purged", **changed)
    for kind, model in (("user", DirectoryUser), ("group", DirectoryGroup)):
        absent = model.objects.filter(unseen, deleted="")
        ids = list(absent.values_list("object_id", flat=True))
        absent.update(deleted="soft", **changed)
        standings.refresh(snapshot.tenant_id, kind, ids)


# A page
