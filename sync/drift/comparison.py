"""Comparing AWS with what was last written there: a read-back that tells what differs and writes nothing to AWS.

People and groups are listed page by page, the members of each linked group by one filter. Threads read and never touch
the database; what they bring is compared by the caller's thread alone, in batches. A list proves what AWS holds, never
what it does not hold: whoever is not listed is asked for by id before being called gone.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from sync.configuration.ruleset import Rules, redacted_units
from sync.db.batches import batches
from sync.drift.listing import (
    CONNECTIONS,
    Listed,
    Members,
    ask_for,
    ask_for_member,
    gather,
    list_members,
    list_objects,
)
from sync.drift.proposals import name_of, propose_gone, propose_ids, propose_mails, propose_names
from sync.models import (
    DirectoryUser,
    Drift,
    LeftDifference,
    Link,
    MembershipLink,
    ObjectType,
    Run,
    Standing,
    Tenant,
    Word,
)
from sync.rules.changes import GROUP_KEYS, KEYS, chunks
from sync.rules.drift import differences
from sync.rules.unique_keys import keys_of
from sync.runs.lease import Watch
from sync.runs.outcomes import RunStopped
from sync.runs.phases import PhaseLog
from sync.scim import resource
from sync.scim.client import Json, ScimClient
from sync.scim.never_touch import NeverTouch
from sync.standings import leaving
from sync.standings import services as standings
from sync.standings.derivation import only_in_aws

T = TypeVar("T")

# Words that a comparison decides, and what else is about the objects of a kind: a membership is its group's.
OF_COMPARISONS = (Word.GONE, Word.DIFFERS)
MEMBERSHIPS: dict[str, tuple[str, ...]] = {ObjectType.USER.value: (), ObjectType.GROUP.value: ("membership",)}

KEY_UNITS = {"user": KEYS, "group": GROUP_KEYS}

# So many who are not listed are asked for by id; with more the run is suspect: nobody is forgotten because of it.
MOST_ASKED = 500
# Of a group whose list lacks people, so many of them are asked for one by one.
PROBES = 3
# Up to here proposals also look at the mail address, which has no index.
FEW_UNKNOWN = 5000


class ListIncomplete(RunStopped):
    """AWS holds what its own list did not name: the list proves nothing."""

    code = "aws-list-incomplete"


@dataclass(frozen=True, slots=True)
class Looked:
    """Which units are compared. `filled`: those whose empty value means that AWS holds none."""

    units: frozenset[str]
    filled: frozenset[str]

    @classmethod
    def at(cls, rules: Sequence[Any], *, current: bool) -> "Looked":
        """`current`: everybody was evaluated under these rules. Before that a missing unit says nothing."""
        # What a None row is for is AWS's own business.
        compared = [rule for rule in rules if rule.kind != "none" and rule.target != "members"]
        kept = [rule for rule in compared if rule.apply != "create"]
        plain = [rule for rule in kept if rule.kind in ("direct", "constant") and not rule.default]
        filled = [resource.unit_of(rule.target) for rule in plain if current]
        return cls(frozenset(resource.unit_of(rule.target) for rule in kept), frozenset(filled))

    def for_link(self, written: resource.Units) -> frozenset[str]:
        return frozenset(unit for unit in self.units if unit in written or unit in self.filled)


def note_names(link: Link, found: Json) -> None:
    """Of whom no rule names any more: a name that was changed by hand is left so, and the old one is free for others."""
    units = [unit for unit in ("userName", "displayName", "emails") if unit in link.written]
    held = resource.units_held(found, units)
    differing = differences(link.written, held, units)
    if not differing:
        return
    link.written = link.written | {unit: held.get(unit) for unit in differing}
    link.held_name, link.held_email, _external = keys_of(link.object_type, link.written)
    link.save(update_fields=["written", "held_name", "held_email"])


def note_keys(link: Link, found: Json) -> None:
    """What AWS holds keeps others from it, whatever was written there last; what it holds no more is free for them."""
    held = resource.units_held(found, KEY_UNITS[link.object_type])
    keys = keys_of(link.object_type, held)
    if keys != (link.held_name, link.held_email, link.held_external):
        link.held_name, link.held_email, link.held_external = keys
        link.save(update_fields=["held_name", "held_email", "held_external"])


class Comparison:
    """One comparison, from the first list to the proposals. Rows of Drift are stored as they are found."""

    def __init__(self, run: Run, watch: Watch, client: ScimClient, connections: int, began: datetime.datetime) -> None:
        self.run = run
        self.began = began
        self.tenant = run.tenant
        self.never_touch = NeverTouch(run.tenant.never_touched())
        self.watch = watch
        self.client = client
        self.connections = connections
        self.seen: dict[str, set[str]] = {"user": set(), "group": set()}
        self.counts: Counter[str] = Counter()
        # What somebody decided to leave, by link; and what of it AWS does not hold any more.
        self.left: dict[int, list[LeftDifference]] = {}
        for one in self.tenant.left_differences.all():
            self.left.setdefault(one.link_id, []).append(one)
        self.over: list[LeftDifference] = []
        # Per group (AWS id) some whom its list lacks.
        self.doubted: dict[str, list[str]] = {}
        configuration = self.tenant.configurations.current()
        rules = Rules.of(configuration)
        evaluated = self.tenant.evaluated_changed_at
        current = evaluated is not None and evaluated >= configuration.changed_at
        self.looked = {
            "user": Looked.at(rules.users, current=current),
            "group": Looked.at(rules.groups, current=current),
        }
        self.with_members = any(rule.target == "members" for rule in rules.groups)
        self.redacted = redacted_units(self.tenant)

    def carry_out(self) -> None:
        self._read([partial(list_objects, self.client, "group")])
        self._ask_for_unlisted("group")
        self._read([partial(list_objects, self.client, "user"), *self._member_lists()])
        self._ask_for_unlisted("user")
        self._settle_doubts()
        self._propose()
        leaving.note(self.run.drifts.all(), (one for some in self.left.values() for one in some))
        self.counts.update(self._found())

    def _found(self) -> dict[str, int]:
        rows = self.run.drifts.filter(left_alone=False).values("kind").annotate(found=Count("pk")).order_by()
        return dict.fromkeys(Drift.Kind.values, 0) | {row["kind"]: row["found"] for row in rows}

    # Reading

    def _read(self, jobs: Sequence[Callable[[], Iterable[Listed | Members]]]) -> None:
        for found in gather(jobs, self.connections):
            self.watch.safe_point()
            if isinstance(found, Listed):
                self._compare_objects(found)
            else:
                self._compare_members(found)

    def _member_lists(self) -> list[Callable[[], Iterable[Listed | Members]]]:
        """Of the linked groups that AWS has just listed."""
        linked = self._links("group").values_list("scim_id", flat=True) if self.with_members else []
        return [partial(list_members, self.client, group) for group in linked if group in self.seen["group"]]

    def _links(self, object_type: str) -> QuerySet[Link]:
        return Link.objects.filter(tenant=self.tenant, object_type=object_type).exclude(scim_id="")

    def _ask(self, jobs: Sequence[Callable[[], Iterable[T]]]) -> Iterator[T]:
        for answer in gather(jobs, self.connections):
            self.watch.safe_point()
            yield answer

    # People and groups

    def _compare_objects(self, listed: Listed) -> None:
        seen = self.seen[listed.object_type]
        fresh = {one["id"]: one for one in listed.resources if one["id"] not in seen}
        seen.update(fresh)
        self.counts["people" if listed.object_type == "user" else "groups"] += len(fresh)
        links = {link.scim_id: link for link in self._links(listed.object_type).filter(scim_id__in=list(fresh))}
        outside = self._outside(links.values()) if listed.object_type == "user" else set()
        managers = self._managers(links.values())
        rows = []
        for scim_id, found in fresh.items():
            link = links.get(scim_id)
            if link is None:
                rows.append(self._only_in_aws(listed.object_type, found))
                continue
            if self._moved(link):
                continue
            self.over += [one for one in self.left.get(link.pk, ()) if one.unit and not self._still(one, link, found)]
            if not link.wanted_name:
                note_names(link, found)
            if facts := self._differences(link, found, link.object_id in outside, managers):
                note_keys(link, found)
                rows.append(self._row(Drift.Kind.DIFFERS, link, name_of(link.written) or name_of(found), facts=facts))
        self._store(rows)

    def _still(self, left: LeftDifference, link: Link, found: Json) -> bool:
        """AWS holds what was left, and nobody hides it since."""
        held = resource.units_held(found, [left.unit]).get(left.unit)
        return left.unit not in self.redacted[link.object_type] and leaving.still(left, link.scim_id, held)

    def _moved(self, link: Link) -> bool:
        """Written on demand since this run began: what was read may be older."""
        began = self.run.started_at
        return bool(began and link.written_at and link.written_at >= began)

    def _outside(self, links: Iterable[Link]) -> set[str]:
        """A leaver is disabled and otherwise left as is."""
        ids = {link.object_id for link in links}
        inside = DirectoryUser.objects.filter(tenant=self.tenant, object_id__in=ids, in_scope=True)
        return ids - set(inside.values_list("object_id", flat=True))

    def _managers(self, links: Iterable[Link]) -> dict[str, str]:
        """AWS ids by Entra id: `written` names a manager by the latter."""
        values = [link.written.get(resource.MANAGER) for link in links]
        ids = {value["value"] for value in values if value}
        return dict(self._links("user").filter(object_id__in=ids).values_list("object_id", "scim_id"))

    def _differences(self, link: Link, found: Json, outside: bool, managers: dict[str, str]) -> dict[str, Any]:
        written = dict(link.written)
        if manager := written.get(resource.MANAGER):
            written[resource.MANAGER] = {"value": managers[manager["value"]]} if manager["value"] in managers else None
        mapped = self.looked[link.object_type].for_link(written)
        if outside:
            mapped &= {"active"}
        differing = differences(written, resource.units_held(found, mapped), sorted(mapped))
        hidden = dict.fromkeys(("written", "held"), resource.REDACTED)
        return {unit: hidden if unit in self.redacted[link.object_type] else facts for unit, facts in differing.items()}

    def _only_in_aws(self, object_type: str, found: Json) -> Drift:
        held = {name: found[name] for name in ("userName", "displayName", "externalId", "emails") if found.get(name)}
        alone = self.never_touch.fits(found)
        return Drift(
            run=self.run,
            tenant=self.tenant,
            kind=Drift.Kind.ONLY_IN_AWS,
            object_type=object_type,
            scim_id=found["id"],
            name=name_of(found)[:1024],
            facts=held | ({"left_alone": True} if alone else {}),
        )

    def _row(self, kind: Drift.Kind, link: Link, name: str, **facts: Any) -> Drift:
        return Drift(
            run=self.run,
            tenant=self.tenant,
            kind=kind,
            **{"object_type": link.object_type} | facts,
            link=link,
            object_id=link.object_id,
            scim_id=link.scim_id,
            name=name[:1024],
        )

    def _store(self, rows: Sequence[Drift]) -> None:
        for row in rows:
            row.found_at = self.began
        Drift.objects.bulk_create(rows, batch_size=500)

    # Who is not listed

    def _ask_for_unlisted(self, object_type: str) -> None:
        known = self._links(object_type).exclude(written_at__gte=self.run.started_at or timezone.now())
        missing = [
            scim_id
            for scim_id in known.values_list("scim_id", flat=True).iterator()
            if scim_id not in self.seen[object_type]
        ]
        if len(missing) > MOST_ASKED:
            self.run.suspect = "aws-many-gone"
        for answer in self._ask([partial(ask_for, self.client, object_type, key) for key in missing[:MOST_ASKED]]):
            if answer.resource is None:
                self._gone(self._links(object_type).get(scim_id=answer.scim_id))
            elif self.client.endpoint.dialect == "aws":
                raise ListIncomplete(answer.scim_id)
            else:
                # RFC 7644 section 3.4.2.4: paging is a choice of the server, and some list their first page only.
                self._compare_objects(Listed(object_type, [answer.resource]))

    def _gone(self, link: Link) -> None:
        self.over += self.left.get(link.pk, ())
        self._store([self._row(Drift.Kind.MISSING, link, name_of(link.written) or link.object_id)])
        # That somebody who is gone is missing in groups is no difference of its own.
        self.run.drifts.filter(kind=Drift.Kind.MEMBER_MISSING, member_scim_id=link.scim_id).delete()

    # Members

    def _compare_members(self, listed: Members) -> None:
        group = self._links("group").get(scim_id=listed.group_id)
        held = set(listed.user_ids)
        self.counts["memberships"] += len(held)
        if self._moved(group):
            return
        rows = MembershipLink.objects.filter(group=group).exclude(user__scim_id="")
        expected = dict(rows.values_list("user__scim_id", "certain"))
        missing = sorted(user for user, certain in expected.items() if certain and user not in held)
        if missing:
            self.doubted[listed.group_id] = missing[:PROBES]
        extra = held - expected.keys()
        members = [one for one in self.left.get(group.pk, ()) if one.member_scim_id]
        self.over += [
            one for one in members if one.member_scim_id not in extra or not leaving.still(one, group.scim_id, None)
        ]
        self._store_members(Drift.Kind.MEMBER_MISSING, group, missing)
        self._store_members(Drift.Kind.MEMBER_EXTRA, group, sorted(extra))

    def _store_members(self, kind: Drift.Kind, group: Link, user_ids: Sequence[str]) -> None:
        """Whoever is a member without being linked is told by AWS id."""
        for part in chunks(user_ids, 500):
            names = {link.scim_id: name_of(link.written) for link in self._links("user").filter(scim_id__in=part)}
            self._store(
                [
                    self._row(
                        kind,
                        group,
                        name_of(group.written),
                        object_type="membership",
                        member_scim_id=user_id,
                        member_name=names.get(user_id, "")[:1024],
                    )
                    for user_id in part
                ]
            )

    def _settle_doubts(self) -> None:
        """An empty or short list of members is no proof either: some who are missing are asked for."""
        jobs = [
            partial(ask_for_member, self.client, group, user) for group, some in self.doubted.items() for user in some
        ]
        unsure = {answer.group_id for answer in self._ask(jobs) if answer.there}
        for group_id in unsure:
            self.run.drifts.filter(kind=Drift.Kind.MEMBER_MISSING, scim_id=group_id).delete()
        if unsure:
            self.counts["unsure"] = len(unsure)
            self.run.suspect = "aws-members-unsure"

    # Proposals

    def _propose(self) -> None:
        rows = self.run.drifts.filter(kind=Drift.Kind.ONLY_IN_AWS)
        few = rows.count() <= FEW_UNKNOWN
        for batch in batches(rows, 500):
            self.watch.safe_point()
            for object_type in ("user", "group"):
                some = [row for row in batch if row.object_type == object_type]
                propose_gone(self.tenant, object_type, some)
                propose_ids(self.tenant, object_type, some)
                propose_names(self.tenant, object_type, some)
                if few and object_type == "user":
                    propose_mails(self.tenant, some)
            for row in batch:
                if row.proposed_by in Drift.CERTAIN:
                    # Ours by its id, whatever the never-touch list says about its name.
                    row.facts.pop("left_alone", None)
            Drift.objects.bulk_update(batch, ["proposed_id", "proposed_by", "facts"], batch_size=200)


def verify(run: Run, watch: Watch, scim: ScimClient, *, connections: int = CONNECTIONS) -> None:
    """A run that only compares."""
    phases = PhaseLog(run, watch.clock)
    run.suspect = ""
    counts = compare(phases, run, watch, scim, connections=connections)
    run.counts = {kind: counts[kind] for kind in Drift.Kind.values}
    phases.save()


def compare(
    phases: PhaseLog, run: Run, watch: Watch, scim: ScimClient, *, connections: int = CONNECTIONS
) -> Counter[str]:
    """How many were looked at and how many differences of each kind there are; the rows are in Drift.

    Raises ScimError, ListIncomplete, Cancelled or LeaseLost: then the rows found so far decide nothing.
    """
    began = timezone.now()
    run.drifts.all().delete()
    comparison = Comparison(run, watch, scim, connections, began)
    with phases.during("compare") as facts:
        comparison.carry_out()
        facts.update(comparison.counts)
    _take_as_known(comparison)
    return comparison.counts


@transaction.atomic
def _take_as_known(comparison: Comparison) -> None:
    """From here on the standings go by this comparison: of whom it found something, and of whom the last one did."""
    run = comparison.run
    run.compared_at = comparison.began
    leaving.end(comparison.over)
    run.save(update_fields=["suspect", "compared_at"])
    Tenant.objects.filter(pk=run.tenant_id).update(verified_at=timezone.now())
    for kind in ObjectType.values:
        found = run.drifts.exclude(object_id="").filter(object_type__in=(kind, *MEMBERSHIPS[kind]))
        before = Standing.objects.filter(tenant=run.tenant_id, kind=kind, word__in=OF_COMPARISONS)
        ids = {*found.values_list("object_id", flat=True), *before.values_list("object_id", flat=True)}
        standings.refresh(run.tenant_id, kind, ids - {""})
    standings.refresh_only_in_aws(run.tenant_id)


def found_differences(run: Run) -> bool:
    """Whether the comparison of the run found anybody who is gone, differs, or is nobody's."""
    others = run.drifts.undecided().exclude(kind=Drift.Kind.ONLY_IN_AWS).exists()
    return run.compared_at is not None and (others or only_in_aws(run.tenant_id, run).exists())
