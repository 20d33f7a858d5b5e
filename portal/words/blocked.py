"""What keeps everything of a tenant from being written, and what mends it."""

from datetime import datetime

from django.utils.translation import gettext as _

from portal.words.provisioning import Provisioning, off_words
from sync.health.queries.presence import absence, late
from sync.models import Tenant
from sync.people.queries import Blocked
from sync.problems.catalogue import PROBLEMS
from sync.runs.quarantine import failing_half


def blocked(tenant: Tenant, state: Provisioning, asked_at: datetime | None) -> Blocked | None:
    """None when nothing does. What keeps the rest from being tried comes first. `asked_at`: since when a run waits for a
    worker."""
    if not tenant.enabled:
        remedy = _("Resume it under Provisioning.") if tenant.paused else _("Turn it on under Provisioning.")
        return Blocked(off_words(tenant), remedy, "provisioning")
    if missing := absence():
        return Blocked(missing, str(PROBLEMS["nobody-works"].remedy), "health")
    return _waiting(tenant, state) or _overdue(tenant, asked_at)


def _waiting(tenant: Tenant, state: Provisioning) -> Blocked | None:
    if state.word == "quarantined":
        place = "connection" if failing_half(tenant) else "provisioning"
        reason = state.problem.title if state.problem else tenant.quarantine_code
        words = _("Provisioning is quarantined: %(reason)s.") % {"reason": reason}
        return Blocked(words, str(state.problem.remedy) if state.problem else "", place)
    if state.plan:
        words = _("The plan of the next run waits for an approval.")
        return Blocked(words, str(PROBLEMS["not-confirmed"].remedy), "approvals")
    if state.shrunken:
        words = _("The reading of Entra waits for an approval.")
        return Blocked(words, str(PROBLEMS[state.shrunken.suspect].remedy), "approvals")
    return None


def _overdue(tenant: Tenant, asked_at: datetime | None) -> Blocked | None:
    if not late(tenant, asked_at):
        return None
    return Blocked(f"{PROBLEMS['overdue'].title}.", str(PROBLEMS["overdue"].remedy), "health")
