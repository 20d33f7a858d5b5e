"""The state of provisioning, in one word, with what an admin needs to know about it."""

from dataclasses import dataclass
from typing import Literal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from sync.approvals.queries import Waiting
from sync.connection.services import works_again
from sync.models import Run, Tenant
from sync.problems.catalogue import PROBLEMS, ProblemWords
from sync.problems.languages import moment

Word = Literal["on", "off", "paused", "waiting_for_approval", "quarantined"]


@dataclass(frozen=True, slots=True)
class Provisioning:
    """`waiting`: for a person; `works_again`: the connection that was refused passed a test since."""

    word: Word
    waiting: Waiting
    problem: ProblemWords | None = None
    works_again: bool = False

    @property
    def plan(self) -> Run | None:
        """The run whose plan waits for approval."""
        return self.waiting.plan

    @property
    def shrunken(self) -> Run | None:
        """The run whose reading was not believed."""
        return self.waiting.shrunken

    @property
    def changes(self) -> int:
        """How many held changes nobody has decided on."""
        return self.waiting.changes


def provisioning_of(tenant: Tenant, waiting: Waiting) -> Provisioning:
    """Quarantine comes before waiting: nothing can be written at all."""
    problem = PROBLEMS.get(tenant.quarantine_code) if tenant.quarantined_at else None
    word: Word = "on"
    if not tenant.enabled:
        word = "paused" if tenant.paused else "off"
    elif tenant.quarantined_at:
        word = "quarantined"
    elif waiting.plan or waiting.shrunken or waiting.changes:
        word = "waiting_for_approval"
    return Provisioning(word, waiting, problem, works_again(tenant))


def until_words(tenant: Tenant) -> str:
    """07:00 when that is today, else with its day: when a paused tenant is on again, in the reader's zone."""
    assert tenant.resume_at is not None, "of a paused tenant"
    at = timezone.localtime(tenant.resume_at)
    return date_format(at, "H:i") if at.date() == timezone.localdate() else moment(at)


def off_words(tenant: Tenant) -> str:
    """Why nothing is written while it is not on, as a sentence."""
    if tenant.paused:
        return _("Provisioning is paused until %(time)s.") % {"time": until_words(tenant)}
    return _("Provisioning is off.")
