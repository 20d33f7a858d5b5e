"""The statement that derives standings from stored facts: the mirror, links, held changes and the newest comparison.

One row per person or group that Entra ever named and whose scope was decided. What AWS alone holds has no facts but
those of the comparison: see sync/standings/services.py.
"""

from collections.abc import Collection
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from sync.models import (
    Adoption,
    DirectoryGroup,
    DirectoryUser,
    Drift,
    HeldChange,
    Hold,
    Link,
    MembershipLink,
    ObjectType,
    Run,
    Tenant,
)
from sync.models.drift import DriftQuerySet
from sync.problems.catalogue import PROBLEMS

# Another object stands in the way.
CONFLICTS = (
    *("two-matches", "already-exists", "exists-unlinked", "left-alone"),
    *("same-value", "taken-by-leaver", "group-made-anew"),
)
# They settle by themselves, or are as somebody wants them: whoever has one waits, or is well with a note.
NOTES = tuple(code for code, words in PROBLEMS.items() if words.warning)
ONLY_IN_AWS = "not-in-entra"
# What is derived, in the order of the statement's result.
DERIVED = (
    *("object_id", "scim_id", "name", "in_scope", "scope", "word", "code", "attribute", "quoted", "request_id"),
    *("holder", "holder_id", "warnings", "next_try"),
)
MIRRORS: dict[str, type[DirectoryUser | DirectoryGroup]] = {
    ObjectType.USER.value: DirectoryUser,
    ObjectType.GROUP.value: DirectoryGroup,
}
NAMES = {
    ObjectType.USER.value: "COALESCE(NULLIF(m.display_name, ''), NULLIF(m.user_principal_name, ''), m.object_id)",
    ObjectType.GROUP.value: "COALESCE(NULLIF(m.display_name, ''), m.object_id)",
}
# Whether AWS has it working: a group out of scope is kept, and emptied.
ACTIVE = {
    ObjectType.USER.value: "COALESCE(l.active, TRUE)",
    ObjectType.GROUP.value: "(m.in_scope OR EXISTS (SELECT 1 FROM {membership} x WHERE x.group_id = l.id))",
}

# The comparison that counts, as in newest_comparison.
NEWEST = """
newest AS (
    SELECT id, compared_at FROM {run}
    WHERE tenant_id = %(tenant)s AND compared_at IS NOT NULL ORDER BY id DESC LIMIT 1
)"""

FACTS = """
facts AS (
    SELECT m.object_id, {name} AS name, m.in_scope,
        CASE WHEN m.deleted <> '' THEN 'deleted' ELSE m.scope_reason END AS scope, {active} AS active,
        COALESCE(l.scim_id, '') AS scim_id, COALESCE(l.pending, '') AS pending, COALESCE(l.warnings, '') AS notes,
        COALESCE(l.refused_code, '') AS refused_code, COALESCE(l.refused_attribute, '') AS refused_attribute,
        COALESCE(l.refused_words, '') AS refused_words,
        COALESCE(l.holder_name, '') AS holder, COALESCE(l.holder_id, '') AS holder_id,
        CASE WHEN m.in_scope THEN COALESCE(l.ready_code, '') ELSE '' END AS ready_code,
        COALESCE(l.ready_attribute, '') AS ready_attribute,
        CASE WHEN l.failures > 0 THEN l.failure_code ELSE '' END AS failure_code,
        COALESCE(l.failure_attribute, '') AS failure_attribute, COALESCE(l.failure_words, '') AS failure_words,
        COALESCE(l.failure_request_id, '') AS request_id, l.retry_at AS next_try,
        COALESCE(l.match_code, '') AS match_code,
        l.refused_since, l.disabled_at,
        (
            SELECT MIN('held-' || h.kind) FROM {held} c JOIN {hold} h ON h.id = c.hold_id
            WHERE c.tenant_id = m.tenant_id AND c.object_id = m.object_id AND c.closed_at IS NULL
                AND (c.decision = 'waiting' OR (c.decision = 'approved' AND c.expires_at <= %(now)s))
        ) AS held,
        EXISTS (
            SELECT 1 FROM {held} c
            WHERE c.tenant_id = m.tenant_id AND c.object_id = m.object_id AND c.closed_at IS NULL
                AND c.decision = 'kept'
        ) AS kept,
        (
            SELECT MAX(CASE d.kind WHEN 'missing' THEN 3 WHEN 'differs' THEN 2 ELSE 1 END)
            FROM {drift} d JOIN {run} r ON r.id = d.run_id
            WHERE d.link_id = l.id AND d.scim_id = l.scim_id AND NOT d.repaired AND NOT d.left_alone
                AND (
                    d.run_id = (SELECT id FROM newest)
                    OR (r.kind = 'demand' AND d.found_at >= COALESCE((SELECT compared_at FROM newest), d.found_at))
                )
                AND (l.written_at IS NULL OR l.written_at < d.found_at)
                AND (l.read_at IS NULL OR l.read_at < d.found_at)
        ) AS drift
    FROM {mirror} m
    LEFT JOIN {link} l ON l.tenant_id = m.tenant_id AND l.object_type = %(kind)s AND l.object_id = m.object_id
    WHERE m.tenant_id = %(tenant)s AND m.scope_reason <> '' {only}
)"""

# The first word that is true wins (sync.models.Word, in the same order).
JUDGED = """
judged AS (
    SELECT f.*, CASE
        WHEN held IS NOT NULL THEN 'held'
        WHEN NOT in_scope AND scim_id = '' THEN 'not_in_scope'
        WHEN drift = 3 OR (scim_id = '' AND match_code = 'not-found-link') THEN 'gone'
        WHEN refused_code IN %(conflicts)s OR failure_code IN %(conflicts)s THEN 'conflict'
        WHEN (refused_code <> '' AND refused_code NOT IN %(notes)s) OR ready_code <> '' THEN 'not_ready'
        WHEN failure_code <> '' THEN 'failed'
        WHEN drift IS NOT NULL THEN 'differs'
        WHEN pending <> '' OR (in_scope AND scim_id = '') THEN 'waiting'
        WHEN NOT in_scope AND NOT active THEN 'disabled'
        WHEN NOT in_scope AND NOT kept AND refused_code = '' THEN 'waiting'
        ELSE 'in_aws'
    END AS word
    FROM facts f
)"""

DERIVATION = """
derived AS (
    SELECT object_id, scim_id, name, in_scope, scope, word,
        CASE word
            WHEN 'held' THEN held
            WHEN 'gone' THEN 'not-found-link'
            WHEN 'conflict' THEN CASE WHEN refused_code IN %(conflicts)s THEN refused_code ELSE failure_code END
            WHEN 'not_ready' THEN CASE
                WHEN refused_code <> '' AND refused_code NOT IN %(notes)s THEN refused_code ELSE ready_code END
            WHEN 'failed' THEN failure_code
            WHEN 'differs' THEN CASE drift WHEN 2 THEN 'differs' ELSE 'members-differ' END
            WHEN 'waiting' THEN CASE
                WHEN refused_code <> '' THEN refused_code
                WHEN pending <> '' THEN pending
                WHEN kept THEN 'kept'
                WHEN in_scope THEN 'create'
                ELSE 'disable' END
            WHEN 'in_aws' THEN ''
            ELSE scope
        END AS code,
        CASE word
            WHEN 'conflict' THEN CASE
                WHEN refused_code IN %(conflicts)s THEN refused_attribute ELSE failure_attribute END
            WHEN 'not_ready' THEN CASE
                WHEN refused_code <> '' AND refused_code NOT IN %(notes)s THEN refused_attribute ELSE ready_attribute END
            WHEN 'failed' THEN failure_attribute
            WHEN 'waiting' THEN refused_attribute
            ELSE ''
        END AS attribute,
        CASE WHEN word IN ('conflict', 'not_ready') AND refused_code <> '' THEN refused_words
            WHEN word IN ('conflict', 'failed') THEN failure_words
            ELSE '' END AS quoted,
        CASE WHEN failure_code <> '' AND word IN ('gone', 'conflict', 'failed') THEN request_id ELSE '' END AS request_id,
        CASE WHEN word IN ('conflict', 'waiting') THEN holder ELSE '' END AS holder,
        CASE WHEN word IN ('conflict', 'waiting') THEN holder_id ELSE '' END AS holder_id,
        TRIM(
            CASE WHEN kept THEN 'kept ' ELSE '' END
            || CASE WHEN refused_code IN %(notes)s THEN refused_code || ' ' ELSE '' END
            || CASE WHEN in_scope THEN notes ELSE '' END
        ) AS warnings,
        CASE WHEN word IN ('gone', 'conflict', 'not_ready', 'failed', 'disabled') THEN next_try END AS next_try,
        CASE word WHEN 'conflict' THEN refused_since WHEN 'not_ready' THEN refused_since
            WHEN 'disabled' THEN disabled_at END AS began
    FROM judged
)"""


class Derivation:
    """The common table expressions for one kind (of ObjectType) of a tenant, and their parameters."""

    def __init__(self, tenant_id: int, kind: str, object_ids: Collection[str] | None) -> None:
        """`object_ids`: of whom; None: of everybody."""
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        self.parameters: dict[str, Any] = {"tenant": tenant_id, "kind": kind, "now": now}
        only = "" if object_ids is None else f"AND m.object_id IN {self._listed('object', _rounded(object_ids))}"
        active = ACTIVE[kind].format(membership=table_of(MembershipLink))
        facts = FACTS.format(
            name=NAMES[kind],
            active=active,
            only=only,
            mirror=table_of(MIRRORS[kind]),
            link=table_of(Link),
            held=table_of(HeldChange),
            hold=table_of(Hold),
            drift=table_of(Drift),
            run=table_of(Run),
        )
        rest = (JUDGED + "," + DERIVATION).replace("%(conflicts)s", self._listed("conflict", CONFLICTS))
        newest = NEWEST.format(run=table_of(Run))
        self.sql = f"WITH {newest}, {facts}, {rest.replace('%(notes)s', self._listed('note', NOTES))}"

    def _listed(self, name: str, values: Collection[str]) -> str:
        """A list for IN, its values among the parameters."""
        named = {f"{name}{number}": value for number, value in enumerate(values)}
        self.parameters |= named
        return "(" + ", ".join(f"%({key})s" for key in named) + ")"


def _rounded(object_ids: Collection[str]) -> list[str]:
    """Up to a power of two, the last one again: a text of few lengths, which SQLite keeps prepared. That takes ten times as
    long as the question itself."""
    ids = list(object_ids)
    return ids + ids[-1:] * ((1 << (len(ids) - 1).bit_length()) - len(ids))


def comparisons(tenant_id: int) -> QuerySet[Run]:
    """Those that were carried through, newest first: the rows of the first are what is known."""
    return Run.objects.compared().filter(tenant_id=tenant_id).order_by("-pk")


def newest_comparison(tenant_id: int) -> Run | None:
    return comparisons(tenant_id).first()


def table_of(model: type[Any]) -> str:
    return str(model._meta.db_table)


def only_in_aws(tenant_id: int, newest: Run | None) -> QuerySet[Drift]:
    """Rows of the newest comparison: what AWS holds, nobody in Entra claims, and the never-touch list does not name."""
    if newest is None:
        return Drift.objects.none()
    rows = newest.drifts.filter(kind=Drift.Kind.ONLY_IN_AWS, repaired=False).exclude(facts__has_key="left_alone")
    linked = Link.objects.filter(tenant=tenant_id, object_type=OuterRef("object_type"), scim_id=OuterRef("scim_id"))
    return rows.exclude(claimed(newest.tenant)).exclude(Exists(linked))


def open_differences(tenant_id: int, newest: Run | None) -> QuerySet[Drift]:
    """What makes people and groups of ours *Gone* or *Differs*: the same rows as in FACTS, one by one. `newest`:
    comparison."""
    return known_differences(tenant_id, newest).undecided()


def known_differences(tenant_id: int, newest: Run | None) -> DriftQuerySet:
    """What is known of now, also what somebody decided on."""
    since = newest.compared_at if newest else None
    read_back = Q(run__kind=Run.Kind.ON_DEMAND) & (Q(found_at__gte=since) if since else Q())
    rows = Drift.objects.filter(read_back | Q(run=newest), tenant=tenant_id, link__scim_id=F("scim_id"))
    later = Q(link__written_at__gte=F("found_at")) | Q(link__read_at__gte=F("found_at"))
    return rows.exclude(pk__in=rows.filter(later).values("pk"))


def claimed(tenant: Tenant) -> Q:
    """Of rows of Drift: ours by the id that was linked, or by our external id where the tenant links by it."""
    certain = ("id",) if tenant.adoption == Adoption.BY_HAND else Drift.CERTAIN
    lost = Link.objects.filter(tenant=tenant, object_type=OuterRef("object_type"), scim_id="")
    return Q(Exists(lost.filter(object_id=OuterRef("proposed_id"))), proposed_by__in=certain)
