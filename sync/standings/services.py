"""The one writer of standings: called in the transaction that stored a fact, for the objects that it is about."""

import contextlib
import datetime
from collections.abc import Collection, Iterable

import structlog
from django.db import connection, transaction
from django.utils import timezone

from sync.db.batches import chunks
from sync.models import Link, ObjectType, Standing, Tenant, Word
from sync.runs.lease import Busy, at_rest
from sync.standings.derivation import DERIVED, ONLY_IN_AWS, Derivation, newest_comparison, only_in_aws, table_of
from sync.standings.queries import differences

log = structlog.get_logger(__name__)

# Objects named in one statement.
PART = 500
# How often everything is derived anew; differences that the log then names.
EVERY = datetime.timedelta(days=1)
NAMED = 20
VALUES = tuple(name for name in DERIVED if name != "object_id")


def refresh(tenant_id: int, kind: str, object_ids: Collection[str]) -> None:
    """`kind`: of ObjectType. `object_ids`: Entra ids of people or groups about whom a fact was just stored."""
    for part in chunks(sorted(set(object_ids)), PART):
        _upsert(tenant_id, kind, part)


def refresh_links(links: Iterable[Link]) -> None:
    """Of the objects of links that were just stored, all of one tenant."""
    rows = list(links)
    for kind in ObjectType.values:
        if ids := {link.object_id for link in rows if link.object_type == kind}:
            refresh(rows[0].tenant_id, kind, ids)


@transaction.atomic
def refresh_all(tenant: Tenant) -> None:
    """Everybody, on both sides."""
    for kind in ObjectType.values:
        _upsert(tenant.pk, kind, None)
    refresh_only_in_aws(tenant.pk)
    tenant.standings_checked_at = timezone.now()
    tenant.save(update_fields=["standings_checked_at"])


def _upsert(tenant_id: int, kind: str, object_ids: Collection[str] | None) -> None:
    """Rows that stay as they are are not written."""
    derivation = Derivation(tenant_id, kind, object_ids)
    columns = ", ".join(DERIVED)
    updates = ", ".join(f"{name} = excluded.{name}" for name in VALUES)
    same = "s.word = excluded.word AND s.code = excluded.code"
    differs = " OR ".join(f"s.{name} IS DISTINCT FROM excluded.{name}" for name in VALUES)
    # Names of our own models alone; values are parameters.
    statement = f"""
        {derivation.sql}
        INSERT INTO {table_of(Standing)} AS s (tenant_id, kind, {columns}, since)
        SELECT %(tenant)s, %(kind)s, {columns}, COALESCE(began, %(now)s) FROM derived WHERE TRUE
        ON CONFLICT (tenant_id, kind, object_id) WHERE NOT object_id = '' DO UPDATE SET {updates},
            since = CASE WHEN {same} THEN s.since ELSE %(now)s END
        WHERE {differs}
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, derivation.parameters)


@transaction.atomic
def refresh_only_in_aws(tenant_id: int) -> None:
    """What AWS alone holds: after a comparison, and when a link was made or the never-touch list changed."""
    found = {
        (row.object_type, row.scim_id): row.name
        for row in only_in_aws(tenant_id, newest_comparison(tenant_id)).iterator()
    }
    stored = {(row.kind, row.scim_id): row for row in Standing.objects.filter(tenant=tenant_id, object_id="")}
    gone = [row.pk for key, row in stored.items() if key not in found]
    for part in chunks(gone, PART):
        Standing.objects.filter(pk__in=part).delete()
    renamed = [row for key, row in stored.items() if key in found and row.name != found[key]]
    for row in renamed:
        row.name = found[row.kind, row.scim_id]
    Standing.objects.bulk_update(renamed, ["name"], batch_size=PART)
    now = timezone.now()
    new = (
        Standing(
            tenant_id=tenant_id,
            kind=kind,
            scim_id=scim_id,
            name=name,
            word=Word.ONLY_IN_AWS,
            code=ONLY_IN_AWS,
            since=now,
        )
        for (kind, scim_id), name in found.items()
        if (kind, scim_id) not in stored
    )
    Standing.objects.bulk_create(new, batch_size=PART)


def check_daily(tenant_id: int) -> None:
    """What differs is a fault of ours: the log says so, and what the facts say is stored. Not beside a run."""
    tenant = Tenant.objects.get(pk=tenant_id)
    checked = tenant.standings_checked_at
    if checked is None or timezone.now() - checked < EVERY:
        return
    with contextlib.suppress(Busy), at_rest(tenant_id):
        for difference in differences(tenant)[:NAMED]:
            log.error("standing differs", tenant=tenant.slug, **difference.facts())
        refresh_all(tenant)
