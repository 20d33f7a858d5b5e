"""What pages, commands and the tenant file do to a tenant: make it, turn it on and off, save its settings."""

import datetime
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from itertools import chain, count
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_noop

from sync import audit
from sync.approvals.queries import newest_plan
from sync.approvals.services import confirm_plan
from sync.configuration import second_person
from sync.configuration.current import add_default_mappings, configuration_of
from sync.configuration.editing import TENANT_FIELDS, matching_changed, revision
from sync.configuration.items import facts_of, scope_digest
from sync.directory import subscriptions
from sync.drift.services import note_left_alone
from sync.models import (
    AwsConnection,
    ChangeRequest,
    Channel,
    Configuration,
    Delivery,
    Demand,
    EntraConnection,
    Interval,
    Run,
    SecondCredential,
    Tenant,
)
from sync.notifications import pauses
from sync.rules.limits import Limits
from sync.runs.requests import cancel_runs, request_soon
from sync.tenants.queries import (
    RANGES,
    check_pause,
    check_safety,
    keeps_from_deleting,
    missing_for_resuming,
    missing_for_turning_on,
    safety_of,
    stays_in_aws,
)


@transaction.atomic
def create_tenant(*, actor: str, name: str, slug: str | None = None, time_zone: str = "UTC") -> Tenant:
    """With its two connection halves and a configuration with the default mappings."""
    tenant = Tenant.objects.create(name=name, slug=slug or free_slug(name), time_zone=time_zone)
    EntraConnection.objects.create(tenant=tenant)
    AwsConnection.objects.create(tenant=tenant)
    configuration = Configuration.objects.create(tenant=tenant, changed_by=actor)
    add_default_mappings(configuration, "user")
    add_default_mappings(configuration, "group")
    configuration.scope_digest = scope_digest(configuration)
    configuration.save(update_fields=["scope_digest"])
    audit.record(actor, "tenant.create", tenant, None, {"name": name, "slug": tenant.slug})
    return tenant


class TenantChanged(Exception):
    """Somebody else saved the settings meanwhile."""


class NameTaken(Exception):
    """Another tenant has the name."""


@transaction.atomic
def rename_tenant(*, tenant: Tenant, actor: str, name: str, time_zone: str, seen: str | None = None) -> bool:
    """Whether anything changed. `seen`: the revision that a form showed. Raises NameTaken, TenantChanged."""
    now = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if seen is not None and seen != revision(now):
        raise TenantChanged
    before, after = facts_of(now, TENANT_FIELDS), {"name": name, "time_zone": time_zone}
    if before == after:
        return False
    if name != now.name and name_is_taken(name, now):
        raise NameTaken
    tenant.name, tenant.time_zone = name, time_zone
    tenant.save(update_fields=TENANT_FIELDS)
    audit.record(actor, "tenant.change", tenant, before, after)
    return True


def name_is_taken(name: str, tenant: Tenant | None = None) -> bool:
    """By another one, in whatever letter case."""
    others = Tenant.deleted_too.filter(name__iexact=name)
    return (others.exclude(pk=tenant.pk) if tenant else others).exists()


def free_slug(name: str) -> str:
    stem = slugify(name)[:50] or "tenant"
    taken = set(Tenant.deleted_too.filter(slug__startswith=stem).values_list("slug", flat=True))
    numbered = (f"{stem}-{n}" for n in count(2))
    return next(slug for slug in chain([stem], numbered) if slug not in taken)


class CannotDelete(Exception):
    """`reason`: on, or running."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def delete_tenant(*, tenant: Tenant, actor: str) -> datetime.datetime | None:
    """Gone from sight, its secrets with it, and its name is free; a worker deletes the rest (sync/tenants/deletion.py).

    Nothing is asked of AWS; Microsoft is told to send no more change notifications. Until when it does nevertheless.
    Raises CannotDelete."""
    if reason := keeps_from_deleting(Tenant.objects.get(pk=tenant.pk)):
        raise CannotDelete(reason)
    left_until = subscriptions.end_all(tenant)
    _delete(tenant, actor, left_until)
    return left_until


@transaction.atomic
def _delete(tenant: Tenant, actor: str, left_until: datetime.datetime | None) -> None:
    now = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if reason := keeps_from_deleting(now):
        raise CannotDelete(reason)
    left = {"notifications_until": left_until} if left_until else {}
    audit.record(actor, "tenant.delete", now, {"name": now.name, "slug": now.slug, **stays_in_aws(now), **left}, None)
    # Before its channel goes: without one a webhook's message would be taken for a mail.
    now.deliveries.give_up(gettext_noop("The tenant was deleted."))
    for rows in (EntraConnection.objects, AwsConnection.objects, SecondCredential.objects, Channel.objects):
        rows.filter(tenant=now).delete()
    now.name = now.slug = f"deleted-{now.pk}"
    now.deletion_due_at = timezone.now()
    now.save(update_fields=["name", "slug", "deletion_due_at"])


class CannotTurnOn(Exception):
    """`reasons`: codes of what is missing: entra-not-tested, aws-not-tested, no-preview."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


def turn_on_tenant(*, tenant: Tenant, actor: str) -> Run:
    """The first run starts at once. Turning on from a fresh preview says yes to what it lists."""
    reasons = missing_for_turning_on(tenant)
    plan = newest_plan(tenant, configuration_of(tenant))
    if plan is None and not configuration_of(tenant).confirmed:
        reasons.append("no-preview")
    if reasons:
        raise CannotTurnOn(reasons)
    with transaction.atomic():
        if plan is not None:
            confirm_plan(run=plan, actor=actor)
        _lock(tenant)
        return _turn_on(tenant, actor, "provisioning.turn_on")


def turn_off_tenant(*, tenant: Tenant, actor: str) -> None:
    """A run in progress stops at the next safe point. Nothing is removed from AWS. A pause becomes off for good."""
    _turn_off(tenant, actor)


def stop_all(*, actor: str) -> list[Tenant]:
    """Turns off whatever is on, or paused, and keeps in mind what was on."""
    found = list(Tenant.objects.on_or_paused())
    for tenant in found:
        _turn_off(tenant, actor, with_all=True)
    return found


def stopped_with_all() -> QuerySet[Tenant]:
    """What `resume_all` is about: nobody turned it on, or off, by itself since."""
    return Tenant.objects.filter(stopped_with_all=True)


class CannotPause(Exception):
    """`reason`: off, or past, too-long or long-reason: see check_pause."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@transaction.atomic
def pause_tenant(*, tenant: Tenant, actor: str, until: datetime.datetime, reason: str = "") -> None:
    """Off as by turn_off_tenant, and on again by itself `until` then. Of what is paused the end moves. Raises CannotPause."""
    if wrong := check_pause(until, reason):
        raise CannotPause(wrong)
    _lock(tenant)
    if not tenant.enabled and not tenant.paused:
        raise CannotPause("off")
    if tenant.enabled:
        cancel_runs(tenant.runs.filter(state__in=Run.OPEN), actor=actor)
    _switch(tenant, actor, "provisioning.pause", enabled=False, resume_at=until, pause_reason=reason)


class NotPaused(Exception):
    """Somebody turned it on or off meanwhile, or its time has come."""


@transaction.atomic
def resume_tenant(*, tenant: Tenant, actor: str) -> Run:
    """On before its time. Says yes to no plan. Raises NotPaused, CannotTurnOn."""
    _lock(tenant)
    if not tenant.paused:
        raise NotPaused
    if reasons := missing_for_resuming(tenant):
        raise CannotTurnOn(reasons)
    return _turn_on(tenant, actor, "provisioning.resume")


def resume_due() -> None:
    """Called every few seconds: whose pause is over is on again; where something is missing it stays off, and that is told."""
    for key in Tenant.objects.filter(resume_at__lte=timezone.now()).values_list("pk", flat=True):
        _resume_due(key)


@transaction.atomic
def _resume_due(key: int) -> None:
    """Whatever somebody decided meanwhile wins."""
    tenant = Tenant.objects.select_for_update().filter(pk=key, resume_at__lte=timezone.now()).first()
    if tenant is None:
        return
    if reasons := missing_for_resuming(tenant):
        _switch(tenant, audit.ITSELF, "provisioning.stay_off", enabled=False)
        pauses.tell_stays_off(tenant, reasons)
    else:
        _turn_on(tenant, audit.ITSELF, "provisioning.pause_over")


def _lock(tenant: Tenant) -> None:
    """Of two who decide at once the later one sees what the earlier one left. Call it in a transaction."""
    tenant.refresh_from_db(from_queryset=Tenant.objects.select_for_update())


def _turn_on(tenant: Tenant, actor: str, verb: str) -> Run:
    """Call it with the row locked: whoever turns it off right after cancels the run, too."""
    _switch(tenant, actor, verb, enabled=True)
    pauses.tell_over(tenant)
    return request_soon(tenant=tenant, kind=Run.Kind.FULL, trigger=Run.Trigger.TURNED_ON, actor=actor)


@transaction.atomic
def _turn_off(tenant: Tenant, actor: str, *, with_all: bool = False) -> None:
    _lock(tenant)
    stopped = with_all and (tenant.enabled or tenant.stopped_with_all)
    _switch(tenant, actor, "provisioning.turn_off", enabled=False, stopped_with_all=stopped)
    cancel_runs(tenant.runs.filter(state__in=Run.OPEN), actor=actor)


SWITCHED = ("enabled", "resume_at", "pause_reason")
FOLLOWS = ("enabled_changed_at", "enabled_changed_by", "next_run_at", "stopped_with_all", "restored_at")


def _switch(
    tenant: Tenant,
    actor: str,
    verb: str,
    *,
    enabled: bool,
    resume_at: datetime.datetime | None = None,
    pause_reason: str = "",
    stopped_with_all: bool = False,
) -> None:
    """Call it with the row locked."""
    before, now = facts_of(tenant, SWITCHED), timezone.now()
    after = {"enabled": enabled, "resume_at": resume_at, "pause_reason": pause_reason}
    tenant.stopped_with_all = stopped_with_all
    if before["enabled"] != enabled:
        tenant.next_run_at = now + tenant.interval_length if enabled else None
    if before["enabled"] != enabled or bool(before["resume_at"]) != bool(resume_at):
        tenant.enabled_changed_at = now
    if enabled:
        # A comparison was there to look at, or nothing was restored.
        tenant.restored_at = None
    if before != after:
        tenant.enabled, tenant.resume_at, tenant.pause_reason = enabled, resume_at, pause_reason
        tenant.enabled_changed_by = actor
        audit.record(actor, verb, tenant, before, after)
    tenant.save(update_fields=[*SWITCHED, *FOLLOWS])


@transaction.atomic
def note_restored(*, actor: str, made_at: str) -> None:
    """The database was put back to what it was at `made_at`: provisioning is off, what was on comes back by `resume_all`, and
    nothing that was going on then goes on."""
    now = timezone.now()
    again = {"sequence": F("sequence") + 1, "finished_at": now}
    Demand.objects.filter(state__in=Demand.OPEN).update(state=Demand.State.FAILED, problem="cancelled", **again)
    Run.objects.filter(state__in=Run.OPEN).update(state=Run.State.CANCELLED, **again)
    Delivery.objects.all().give_up("The database was restored: it may have been sent before.")
    Tenant.objects.filter(enabled=True).update(stopped_with_all=True, enabled_changed_at=now, enabled_changed_by=actor)
    # Nothing turns on by itself, and who was paused is off.
    off = {"enabled": False, "next_run_at": None, "resume_at": None, "pause_reason": ""}
    Tenant.objects.update(**off, restored_at=now, lease_owner="", lease_expires_at=None)
    audit.record(actor, "installation.restore", None, None, {"made_at": made_at})


@transaction.atomic
def save_provisioning(*, tenant: Tenant, actor: str, interval: int) -> None:
    before = tenant.interval
    if before == interval:
        return
    tenant.interval = Interval(interval).value
    if tenant.enabled:
        tenant.next_run_at = timezone.now() + tenant.interval_length
    tenant.save(update_fields=["interval", "next_run_at"])
    audit.record(actor, "provisioning.save", tenant, {"interval": before}, {"interval": tenant.interval})


# Whoever changes these decides anew about who is linked with whom: the next plan waits for a yes.
MATCHING = ("adoption", "never_touch")


@dataclass(frozen=True, slots=True)
class Saved:
    """`changed`: something is in force now; `request`: the rest, which waits for another person."""

    changed: bool
    request: ChangeRequest | None = None


@transaction.atomic
def save_safety(*, tenant: Tenant, actor: str, **values: Any) -> Saved:
    """Saves the settings that are named (see safety_of), but for those that need a second person.

    Raises ValidationError with a reason per setting. Limits that are not named keep their value.
    """
    before, after = _before_and_after(tenant, values)
    waits = second_person.weakening(tenant, _flat(before), _flat(after))
    request = _ask(tenant, actor, waits) if waits else None
    return Saved(_save(tenant, actor, before, _without(after, before, waits)), request)


def _ask(tenant: Tenant, actor: str, waits: Mapping[str, Any]) -> ChangeRequest:
    return second_person.ask(tenant=tenant, kind=ChangeRequest.Kind.SETTINGS, actor=actor, facts=waits)


class SettingsChanged(Exception):
    """What was asked for is about values that are no longer in force."""


@transaction.atomic
def save_asked(request: ChangeRequest) -> None:
    """The settings that waited. Raises SettingsChanged, and ValidationError where they no longer fit the others."""
    tenant = Tenant.objects.select_for_update().get(pk=request.tenant_id)
    now = _flat(safety_of(tenant))
    if any(now[name] != change["before"] for name, change in request.facts.items()):
        raise SettingsChanged
    wanted = {name: change["after"] for name, change in request.facts.items()}
    limits = {name: value for name, value in wanted.items() if name in RANGES}
    plain = {name: value for name, value in wanted.items() if name not in RANGES}
    _save(tenant, request.asked_by, *_before_and_after(tenant, {**plain, "limits": limits}))


def _before_and_after(tenant: Tenant, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    before = safety_of(tenant)
    after = before | values | {"limits": before["limits"] | dict(values.get("limits", {}))}
    if wrong := check_safety(after):
        raise ValidationError(wrong)
    return before, after


def _without(after: Mapping[str, Any], before: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """`after`, with the old values under these names."""
    limits = {name: (before if name in names else after)["limits"][name] for name in after["limits"]}
    return {**{name: (before if name in names else after)[name] for name in after}, "limits": limits}


def _save(tenant: Tenant, actor: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    if after == before:
        return False
    _store(tenant, after)
    if any(before[name] != after[name] for name in MATCHING):
        matching_changed(tenant=tenant, actor=actor)
        note_left_alone(tenant)
    audit.record(actor, "safety.save", tenant, _flat(before), _flat(after))
    return True


def _store(tenant: Tenant, values: Mapping[str, Any]) -> None:
    usual = asdict(Limits())
    for name, value in values.items():
        setattr(tenant, name, value)
    tenant.limits = {name: value for name, value in values["limits"].items() if value != usual[name]}
    tenant.save(update_fields=list(values))


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """For the audit log, which keeps what differs name by name."""
    return {**{name: value for name, value in values.items() if name != "limits"}, **values["limits"]}
