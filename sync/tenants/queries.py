"""What pages and commands read of a tenant: its safety settings, what these may be, and what keeps it from being on."""

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.configuration.current import configuration_of
from sync.models import Adoption, AuditEntry, NameId, Run, Tenant
from sync.models.tenant import PAUSE_REASON_LENGTH
from sync.rules.limits import Limits
from sync.runs.restored import waits_for_comparison
from sync.standings import queries as standings

# The lowest and highest value of each limit.
RANGES: dict[str, tuple[int, int]] = {
    "people_at_least": (0, 1_000),
    "people_at_most": (0, 100_000),
    "people_percent": (0, 100),
    "members_at_least": (0, 1_000),
    "members_percent": (0, 100),
    "all_members_percent": (0, 100),
    "creates_percent": (0, 100),
    "keys_percent": (0, 100),
    "shrink_percent": (1, 100),
    "approval_hours": (1, 168),
}
# AWS's longest group name is 1,024 characters, but nobody writes patterns of that length.
PATTERN_LENGTH, PATTERNS = 200, 200
DELETE_AFTER_DAYS = (0, 3650)
CHOICES = {"adoption": Adoption.values, "name_id": NameId.values}
LONGEST_PAUSE = datetime.timedelta(days=30)
FLAGS = ("delete_groups", "free_names", "verify_daily", "repair", "two_people")


@dataclass(frozen=True, slots=True)
class TimeOff:
    """When nothing was synced since somebody wanted it so. `ends`: None while it lasts; `reason` of a pause, in the person's
    words."""

    begins: datetime.datetime
    ends: datetime.datetime | None
    paused: bool
    actor: str
    reason: str

    def overlaps(self, begins: datetime.datetime, ends: datetime.datetime) -> bool:
        return self.begins < ends and (self.ends is None or self.ends > begins)


TURNED_ON = ("provisioning.turn_on", "provisioning.resume", "provisioning.pause_over")
TURNED_OFF = ("provisioning.turn_off", "provisioning.stay_off", "provisioning.pause", "installation.restore")


def times_off(tenant: Tenant) -> list[TimeOff]:
    """Oldest first, as the audit log has them; nothing of the time before it was first on."""
    mine = Q(tenant=tenant) | Q(tenant=None, verb="installation.restore")
    entries = AuditEntry.objects.filter(mine, verb__in=[*TURNED_ON, *TURNED_OFF]).order_by("pk")
    found: list[TimeOff] = []
    on, now_off = False, None
    for verb, at, actor, after in entries.values_list("verb", "at", "actor", "after"):
        pausing = verb == "provisioning.pause"
        if now_off and (verb in TURNED_ON or pausing != now_off.paused):
            found.append(replace(now_off, ends=at))
            now_off = None
        if verb in TURNED_OFF and now_off is None and (on or found):
            now_off = TimeOff(at, None, pausing, actor, (after or {}).get("pause_reason", ""))
        on = verb in TURNED_ON
    return [*found, now_off] if now_off else found


def safety_of(tenant: Tenant) -> dict[str, Any]:
    """All settings by name; `limits` holds every limit, those at their default included."""
    plain = {name: getattr(tenant, name) for name in ("delete_after_days", *CHOICES, *FLAGS)}
    return {"limits": asdict(Limits.of(tenant.limits)), "never_touch": list(tenant.never_touch), **plain}


def check_safety(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong, by the name of the limit or setting."""
    wrong = check_limits(values.get("limits", {}))
    low, high = DELETE_AFTER_DAYS
    if not low <= values.get("delete_after_days", low) <= high:
        wrong["delete_after_days"] = _("Enter a number from %(low)s to %(high)s.") % {"low": low, "high": high}
    for name, allowed in CHOICES.items():
        if values.get(name, allowed[0]) not in allowed:
            wrong[name] = _("must be one of: %(all)s") % {"all": ", ".join(allowed)}
    if reason := _check_patterns(values.get("never_touch", ())):
        wrong["never_touch"] = reason
    return wrong


def check_limits(limits: Mapping[str, int]) -> dict[str, str]:
    wrong = {name: _("is not known") for name in limits if name not in RANGES}
    for name, (low, high) in RANGES.items():
        if name in limits and not low <= limits[name] <= high:
            wrong[name] = _("Enter a number from %(low)s to %(high)s.") % {"low": low, "high": high}
    merged = asdict(Limits()) | dict(limits)
    if not wrong and merged["people_at_most"] < merged["people_at_least"]:
        text = _("The highest limit must not be below the lowest one, which is %(least)s.")
        wrong["people_at_most"] = text % {"least": merged["people_at_least"]}
    return wrong


def _check_patterns(patterns: Any) -> str:
    if len(patterns) > PATTERNS:
        return _("Enter at most %(n)s patterns.") % {"n": PATTERNS}
    for pattern in patterns:
        if len(pattern) > PATTERN_LENGTH:
            return _("“%(start)s…” is longer than %(n)s characters.") % {"start": pattern[:20], "n": PATTERN_LENGTH}
    return ""


def check_pause(until: datetime.datetime, reason: str) -> str:
    """ "" or what is wrong: past, too-long (LONGEST_PAUSE), long-reason."""
    now = timezone.now()
    if until <= now:
        return "past"
    if until - now > LONGEST_PAUSE:
        return "too-long"
    return "long-reason" if len(reason) > PAUSE_REASON_LENGTH else ""


def missing_for_turning_on(tenant: Tenant) -> list[str]:
    """As for reading; and after a restore a comparison."""
    return [*missing_for_reading(tenant), *(["restored"] if waits_for_comparison(tenant) else [])]


def missing_for_resuming(tenant: Tenant) -> list[str]:
    """As for turning on, where nobody says yes to a plan on the way."""
    confirmed = configuration_of(tenant).confirmed
    return [*missing_for_turning_on(tenant), *([] if confirmed else ["no-preview"])]


def missing_for_reading(tenant: Tenant) -> list[str]:
    """Both halves must have passed a test since their last change."""
    reasons = []
    if not tenant.entra.passed:
        reasons.append("entra-not-tested")
    if not tenant.aws.passed:
        reasons.append("aws-not-tested")
    return reasons


def keeps_from_deleting(tenant: Tenant) -> str | None:
    """on, or running: a run would find its tenant gone."""
    if tenant.enabled:
        return "on"
    return "running" if tenant.runs.filter(state__in=Run.OPEN).exists() else None


def stays_in_aws(tenant: Tenant) -> dict[str, int]:
    """How many people and groups that are ours AWS holds."""
    return {"people": standings.held_by_aws(tenant, "user"), "groups": standings.held_by_aws(tenant, "group")}
