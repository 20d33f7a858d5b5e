"""What a person says to a plan: yes to it, yes or no to held changes, this AWS object is that person."""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from sync import audit
from sync.approvals import queries
from sync.approvals.queries import Waiting, plan_is_fresh
from sync.configuration import second_person, versions
from sync.configuration.current import configuration_of
from sync.db.counting import counted_together
from sync.engine.evaluation.notes import forget_refusal
from sync.engine.guard import holds
from sync.engine.work import revisit_reports, try_now
from sync.models import (
    ChangeRequest,
    Configuration,
    DirectoryUser,
    Drift,
    HeldChange,
    Hold,
    Link,
    ObjectType,
    Origin,
    Run,
    Standing,
    Tenant,
    Word,
)
from sync.models.hold import HeldChangeQuerySet
from sync.models.standing import OF_ENTRA
from sync.rules.limits import Limits
from sync.runs.newest import Newest
from sync.runs.requests import request_run, request_soon
from sync.runs.results import settle_waiting_runs
from sync.standings import services as standings

log = structlog.get_logger(__name__)

Decision = HeldChange.Decision


class NothingHeld(Exception):
    """None of the named changes waits any more."""


class OwnChange(Exception):
    """The removals come of what the same person changed. `others`: who could approve them."""

    def __init__(self, others: Sequence[str]) -> None:
        super().__init__(", ".join(others))
        self.others = list(others)


class NotFresh(Exception):
    """The plan was made under other rules, or too long ago: a new preview is needed."""


def confirm_and_run(*, run: Run, actor: str) -> Run:
    confirm_plan(run=run, actor=actor)
    return request_soon(tenant=run.tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.PERSON, actor=actor)


@transaction.atomic
def confirm_plan(*, run: Run, actor: str) -> None:
    """Approves the creates and key changes that the plan lists; never more removals than the limits let pass."""
    configuration = Configuration.objects.select_for_update().get(pk=configuration_of(run.tenant).pk)
    if not plan_is_fresh(run, configuration):
        raise NotFresh
    _publish_first(configuration, actor)
    configuration.confirmed_run, configuration.confirmed_at, configuration.confirmed_by = run, timezone.now(), actor
    configuration.save(update_fields=["confirmed_run", "confirmed_at", "confirmed_by"])
    audit.record(actor, "plan.confirm", run, None, {"run": run.number, "changes": run.planned, "hash": run.plan_hash})
    told = {"tenant": run.tenant.slug, "run": str(run.number), "changes": run.planned, "by": actor}
    transaction.on_commit(partial(log.info, "plan confirmed", **told))


def confirm_own_plan(run: Run) -> None:
    """`sync --confirm`: whoever asked for the run has said yes to whatever it plans."""
    configuration = configuration_of(run.tenant)
    _publish_first(configuration, run.requested_by)
    configuration.confirmed_run, configuration.confirmed_at = run, timezone.now()
    configuration.confirmed_by = run.requested_by
    configuration.save(update_fields=["confirmed_run", "confirmed_at", "confirmed_by"])
    audit.record(run.requested_by, "plan.confirm", run, None, {"run": run.number})


def _publish_first(configuration: Configuration, actor: str) -> None:
    """What writes for the first time writes under version 1: from here on edits go into a draft."""
    if configuration.number is None:
        versions.make_version(configuration, actor=actor)


def decide_hold(
    *,
    hold: Hold,
    actor: str,
    approve: Collection[int] = (),
    keep: Collection[int] = (),
    comment: str = "",
    enqueue: bool = True,
) -> Run | ChangeRequest | None:
    """`approve`, `keep`: ids of the hold's changes. What is approved is done by the run that starts at once, if it is
    still wanted then; or waits for its delay, where nobody but those who caused it could approve it.

    Raises NothingHeld, OwnChange; without `enqueue` RunInTheWay too."""
    causers = causers_of(hold, approve)
    if second_person.may_decide(actor, causers):
        return carry_out_decision(hold=hold, actor=actor, approve=approve, keep=keep, comment=comment, enqueue=enqueue)
    if could := second_person.others(hold.tenant, {actor, *causers}):
        raise OwnChange(could)
    with transaction.atomic():
        if keep:
            carry_out_decision(hold=hold, actor=actor, keep=keep, comment=comment)
        return second_person.ask(
            tenant=hold.tenant,
            kind=ChangeRequest.Kind.REMOVALS,
            actor=actor,
            facts={"approve": sorted(approve), "comment": comment},
            causers=causers,
            subject=str(hold.pk),
        )


def lock(hold: Hold) -> None:
    """Until the end of the transaction nobody else decides on it. The tenant first, as a run does."""
    Tenant.objects.select_for_update().get(pk=hold.tenant_id)
    list(HeldChange.objects.select_for_update().filter(hold=hold).order_by("pk").values_list("pk", flat=True))


def causers_of(hold: Hold, approve: Collection[int]) -> set[str]:
    """Who changed what makes these removals: none of them approves one."""
    if hold.kind not in second_person.REMOVALS:
        return set()
    rows = undecided(hold).filter(pk__in=list(approve)).values_list("caused_by", flat=True)
    return {one for causers in rows for one in causers}


def own_changes(hold: Hold, who: str) -> tuple[int, list[str]]:
    """How many of the hold's changes `who` may not approve, and who could."""
    causers = [set(row) for row in undecided(hold).values_list("caused_by", flat=True)]
    own = [one for one in causers if hold.kind in second_person.REMOVALS and not second_person.may_decide(who, one)]
    return len(own), second_person.others(hold.tenant, {who}.union(*own)) if own else []


def undecided(hold: Hold) -> HeldChangeQuerySet:
    """What can be approved: it waits, or was kept."""
    rows = HeldChange.objects.open().filter(hold=hold)
    return rows.exclude(decision=Decision.APPROVED, expires_at__gt=timezone.now())


def carry_out_decision(
    *,
    hold: Hold,
    actor: str,
    approve: Collection[int] = (),
    keep: Collection[int] = (),
    comment: str = "",
    enqueue: bool = True,
) -> Run | None:
    """For whoever may decide. Of two decisions at once the second finds nothing left. Raises NothingHeld."""
    with transaction.atomic():
        waiting = HeldChange.objects.select_for_update().open().filter(hold=hold)
        to_approve = undecided(hold).select_for_update().filter(pk__in=list(approve))
        approved = _decide(to_approve, Decision.APPROVED, actor, comment, hold.tenant)
        kept = _decide(waiting.filter(pk__in=list(keep)), Decision.KEPT, actor, comment, hold.tenant)
        if not approved and not kept:
            raise NothingHeld
        settle_waiting_runs(hold.tenant)
        audit.record(actor, "hold.decide", hold, None, {"approved": approved, "kept": kept, "comment": comment})
        numbers = {"approved": len(approved), "kept": len(kept)}
        told = {"tenant": hold.tenant.slug, "hold": hold.kind, "by": actor, **numbers}
        transaction.on_commit(partial(log.info, "hold decided", **told))
    if not approved:
        return None
    # What a person approves does not wait for the end of an earlier failure.
    try_now(hold.tenant, HeldChange.objects.filter(pk__in=list(approve)).values("object_id"))
    ask = request_soon if enqueue else partial(request_run, enqueue=False)
    return ask(tenant=hold.tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.APPROVAL, actor=actor)


@transaction.atomic
def undo_keep(*, hold: Hold, actor: str, change: int) -> None:
    """What was kept waits for a decision again; nothing happens because of that. Raises NothingHeld."""
    kept = HeldChange.objects.select_for_update().kept().filter(hold=hold, pk=change)
    waiting = _decide(kept, Decision.WAITING, "", "", hold.tenant)
    if not waiting:
        raise NothingHeld
    audit.record(actor, "hold.undo_keep", hold, None, {"waiting": waiting})


def _decide(changes: QuerySet[HeldChange], decision: str, actor: str, comment: str, tenant: Tenant) -> list[str]:
    """Names of those that were decided on."""
    rows = list(changes)
    now = timezone.now()
    for row in rows:
        row.decision, row.decided_by, row.comment = decision, actor, comment
        row.decided_at = None if decision == Decision.WAITING else now
        row.expires_at = None
        if decision == Decision.APPROVED:
            row.expires_at = now + datetime.timedelta(hours=Limits.of(tenant.limits).approval_hours)
    HeldChange.objects.bulk_update(
        rows, ["decision", "decided_at", "decided_by", "comment", "expires_at"], batch_size=200
    )
    holds.refresh_standings(tenant, rows)
    return [f"{row.display_name} ({row.detail_name or row.object_id})" for row in rows]


@transaction.atomic
def end_approvals() -> None:
    """What was approved and not done in time waits for a person again: nobody but the clock says so."""
    mine = {"kind__in": ObjectType.values, "object_id": OuterRef("object_id")}
    standing = Standing.objects.filter(OF_ENTRA, tenant=OuterRef("tenant"), **mine)
    ended = HeldChange.objects.open().filter(decision=Decision.APPROVED, expires_at__lte=timezone.now())
    for change in ended.filter(Exists(standing.exclude(word=Word.HELD))).select_related("tenant"):
        holds.refresh_standings(change.tenant, [change])


@transaction.atomic
def accept_shrunk_reading(*, tenant: Tenant, actor: str) -> None:
    """The directory really is that much smaller: the next full reading is taken as it is. It may lack altogether what this
    one lacked, and nothing else."""
    tenant.shrink_accepted_at = timezone.now()
    tenant.shrink_accepted_empty = [part.name for part in queries.doubted_parts(tenant) if not part.seen]
    tenant.save(update_fields=["shrink_accepted_at", "shrink_accepted_empty"])
    facts = {"at": tenant.shrink_accepted_at.isoformat(), "empty": tenant.shrink_accepted_empty}
    audit.record(actor, "directory.accept_shrinkage", tenant, None, facts)


def adoptable(tenant: Tenant) -> list[Link]:
    """People and groups of Entra whose likely AWS object waits for a yes: found by a run, or by the newest comparison.

    `match_*` of each says which one; what only a comparison found stands there in memory alone.
    """
    found = list(_found_by_runs(tenant).order_by("object_type", "match_name"))
    seen = {link.pk for link in found}
    rows = {(row.object_type, row.proposed_id): row for row in _found_by_comparison(tenant).select_related("run")}
    links = _without_object(tenant).filter(object_id__in={object_id for _type, object_id in rows})
    for link in links.exclude(pk__in=seen):
        if row := rows.get((link.object_type, link.object_id)):
            link.match_code, link.match_attribute, link.match_at = (
                "exists-unlinked",
                row.proposed_by,
                row.run.finished_at,
            )
            link.match_scim_id, link.match_name = row.scim_id, row.name
            found.append(link)
    return found


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a person is asked to decide. `proposed`: whether links are."""

    waiting: Waiting
    proposed: bool

    @property
    def count(self) -> int:
        """Holds, a plan, proposals for linking, a reading that shrank, and what needs a second person."""
        waiting = self.waiting
        readings = (waiting.plan is not None) + (waiting.shrunken is not None)
        return len(waiting.by_hold) + waiting.requests + self.proposed + readings


def decisions(tenant: Tenant, newest: Newest | None = None) -> Decisions:
    """`newest`: runs, where they are at hand."""
    counts = counted_together(
        {
            "held": (HeldChange.objects.waiting().filter(tenant=tenant), "hold"),
            "requests": (tenant.change_requests.waiting(), "tenant"),
            "matches": (_matches_of_runs(tenant), "tenant"),
            "rows": (_rows_of_comparison(tenant), "tenant"),
        }
    )
    whole = newest.whole if newest else queries.newest_whole(tenant)
    waiting = queries.waiting(tenant, counts["held"], sum(counts["requests"].values()), whole)
    # Every page asks, and mostly there is nothing that could be one.
    return Decisions(waiting, bool(counts["matches"] or counts["rows"]) and are_proposed(tenant))


def are_proposed(tenant: Tenant) -> bool:
    found = Exists(_found_by_runs(tenant)) | Exists(_found_by_comparison(tenant))
    return Tenant.objects.filter(found, pk=tenant.pk).exists()


def _without_object(tenant: Tenant) -> QuerySet[Link]:
    return tenant.links.filter(scim_id="", adopt_scim_id="")


def _matches_of_runs(tenant: Tenant) -> QuerySet[Link]:
    return _without_object(tenant).filter(match_code__in=Link.PROPOSED)


def _found_by_runs(tenant: Tenant) -> QuerySet[Link]:
    """Whoever lists an AWS id itself as never to be touched, or left it alone, has answered already."""
    rows = _matches_of_runs(tenant).exclude(match_scim_id__in=tenant.never_touch)
    return rows.exclude(match_scim_id__in=tenant.left_alone.values("scim_id"))


def _rows_of_comparison(tenant: Tenant) -> QuerySet[Drift]:
    newest = tenant.runs.compared().order_by("-pk").values("pk")[:1]
    rows = tenant.drifts.filter(run__in=newest, kind=Drift.Kind.ONLY_IN_AWS, repaired=False)
    return rows.exclude(proposed_id="")


def _found_by_comparison(tenant: Tenant) -> QuerySet[Drift]:
    """Of people and groups who are to be in AWS, or who are known beyond doubt; what is linked since is over."""
    same_type = Link.objects.filter(tenant=tenant, object_type=OuterRef("object_type"))
    mine = same_type.filter(object_id=OuterRef("proposed_id"), scim_id="", adopt_scim_id="")
    wanted = Exists(mine.exclude(wanted_name=""))
    certain = Q(Exists(mine), proposed_by__in=Drift.CERTAIN)
    linked = Exists(same_type.filter(scim_id=OuterRef("scim_id")))
    rows = _rows_of_comparison(tenant).filter(wanted | certain).exclude(linked).exclude(scim_id__in=tenant.never_touch)
    return rows.exclude(scim_id__in=tenant.left_alone.values("scim_id"))


@transaction.atomic
def adopt_object(*, link: Link, actor: str, scim_id: str = "") -> None:
    """This AWS object is that person or group: the next run links it and writes what the mappings say.

    Raises NothingHeld."""
    chosen = scim_id or link.match_scim_id
    if not chosen or link.scim_id:
        raise NothingHeld
    before = Link.objects.filter(tenant=link.tenant, object_type=link.object_type, scim_id=chosen).first()
    if before is not None and not before.wanted_name:
        _inherit(link, before)
    else:
        link.adopt_scim_id = chosen
        if _has_left(link):
            _take_over(link, chosen)
    link.retry_at = timezone.now()
    forget_refusal(link)
    link.save()
    revisit_reports(link.tenant_id, [link.object_id])
    standings.refresh_links([link, *([before] if before else [])])
    standings.refresh_only_in_aws(link.tenant_id)
    facts = {"scim_id": chosen, "name": link.match_name, "object_id": link.object_id}
    audit.record(actor, "link.adopt", link, None, facts)


INHERITED = ("scim_id", "written", "origin", "active", "disabled_at", "held_name", "held_email", "held_external")


def _inherit(link: Link, before: Link) -> None:
    """The id in AWS stays, and with it permission sets and assignments; who made it does not change either. Members are
    compared with the new group's."""
    for name in INHERITED:
        setattr(link, name, getattr(before, name))
    link.linked_at = timezone.now()
    before.scim_id, before.written, before.disabled_at = "", {}, None
    before.held_name = before.held_email = before.held_external = ""
    before.save(update_fields=INHERITED)
    before.member_links.update(group=link)
    before.group_links.update(user=link)


def _has_left(link: Link) -> bool:
    left = DirectoryUser.objects.filter(tenant=link.tenant, object_id=link.object_id, in_scope=False)
    return link.object_type == "user" and left.exclude(scope_at=None).exists()


def _take_over(link: Link, scim_id: str) -> None:
    """Whoever left is matched by no run: linked at once, the next run disables."""
    link.scim_id, link.written, link.active, link.origin = scim_id, {}, True, Origin.HAND
    link.linked_at = timezone.now()
