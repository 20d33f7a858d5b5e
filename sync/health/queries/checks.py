"""Named checks of the installation, each with its remedy: the health page and `doctor` show the same ones."""

import datetime
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from kombu.exceptions import OperationalError

from sync.audit.checking import last_check
from sync.connection import rotation
from sync.health.queries.presence import (
    Process,
    failed_mails,
    late_tenants,
    processes,
    retried_mails,
    serving,
)
from sync.models import AuditEntry, AuditHead, Channel, Heartbeat, Run, Tenant
from sync.queue import QUICK, RUNS
from sync.retention import queries as retention
from sync.runs.outages import database_problem

State = Literal["passed", "warning", "failed"]
Group = Literal["work", "storage", "outside"]
# What queued runs may wait before somebody should look at the slots, and what two clocks may differ.
QUEUE_SECONDS, CLOCK_SECONDS = 60, 5
# Of the disk with the state folder.
LEAST_FREE, LEAST_PERCENT = 200 * 2**20, 5
BROKER_SECONDS = 3
# It is done every night.
PRUNED_WITHIN = datetime.timedelta(days=2)
BACKED_UP_WITHIN = datetime.timedelta(days=2)
CHECKED_WITHIN = datetime.timedelta(days=2)
SHIPPED_WITHIN = datetime.timedelta(minutes=20)
NO_BROKER = gettext_lazy(
    "See that it runs and that BROKER_URL is right. What is asked for meanwhile is stored, and done when it is back."
)
START = gettext_lazy(
    "Start it: docs/operations.md, Production, has the command. If it runs, its log says what keeps it."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`figure`: what was measured, in a few letters; `remedy`: what to do, "" when it passed."""

    state: State
    says: str
    figure: str = ""
    remedy: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    group: Group
    title: str | Promise
    outcome: Outcome


def passed(says: str, figure: str = "") -> Outcome:
    return Outcome("passed", says, figure)


def checks() -> list[Check]:
    """All of them; where the database does not answer, those that do without it."""
    database = _database()
    able = database.state == "passed"
    asked_at = timezone.now()
    found = processes() if able else []
    return [
        Check(name, group, title, outcome())
        for name, group, title, needs_database, outcome in _all(database, asked_at, found)
        if able or not needs_database
    ]


def worst(found: Iterable[Check]) -> State:
    states = {check.outcome.state for check in found}
    return "failed" if "failed" in states else "warning" if "warning" in states else "passed"


# Work


def _worker(found: Sequence[Process], queue: str) -> Outcome:
    alive = serving(found, queue)
    if alive:
        slots = sum(one.slots for one in alive)
        says = ngettext("%(n)s slot", "%(n)s slots", slots) % {"n": slots}
        return passed(f"{', '.join(one.name for one in alive)}: {says}", _ago(alive))
    silent = [one for one in found if queue in one.queues]
    if not silent:
        return Outcome("failed", _("None has ever reported."), remedy=START)
    return Outcome(
        "failed", _("None is running. The last one: %(name)s.") % {"name": silent[0].name}, _ago(silent), START
    )


def _beat(found: Sequence[Process]) -> Outcome:
    beats = [one for one in found if one.role == Heartbeat.Role.BEAT]
    alive = [one for one in beats if one.lives]
    if len(alive) > 1:
        names = ", ".join(one.name for one in alive)
        return Outcome("warning", _("More than one: %(names)s.") % {"names": names}, _ago(alive), _("Run one in all."))
    if alive:
        return passed(alive[0].name, _ago(alive))
    says = _("It is not running: nothing starts by itself.") if beats else _("It has never reported.")
    return Outcome("failed", says, _ago(beats), START)


def _ago(found: list[Process]) -> str:
    return _seconds(min(one.age.total_seconds() for one in found)) if found else ""


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"


def _queue() -> Outcome:
    waiting = Run.objects.queued().aggregate(n=Count("pk"), oldest=Min("created_at"))
    count, oldest = waiting["n"], waiting["oldest"]
    age = max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0
    says = ngettext("%(n)s run waits.", "%(n)s runs wait.", count) % {"n": count} if count else _("Nobody waits.")
    if age < QUEUE_SECONDS:
        return passed(says, _seconds(age))
    return Outcome("warning", says, _seconds(age), _("Give the workers of syncs more slots, or start another one."))


def _late() -> Outcome:
    late = late_tenants()
    if not late:
        return passed(_("No tenant is overdue."))
    says = ngettext("%(n)s tenant is overdue: %(names)s.", "%(n)s tenants are overdue: %(names)s.", len(late))
    names = ", ".join(one.tenant.name for one in late[:5])
    age = timezone.now() - min(one.since for one in late)
    remedy = _("Mend what failed above; if nothing did, look at the runs that hold the slots.")
    return Outcome("failed", says % {"n": len(late), "names": names}, _seconds(age.total_seconds()), remedy)


# Storage


def _database() -> Outcome:
    began = time.monotonic()
    if problem := database_problem():
        return Outcome(
            "failed", problem, remedy=_("The log of the database says more. Nothing else is needed when it is back.")
        )
    name = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}.get(connection.vendor, connection.vendor)
    version = ".".join(str(part) for part in connection.get_database_version())
    return passed(_("%(name)s %(version)s answers, migrated.") % {"name": name, "version": version}, _ms(began))


def _ms(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.0f} ms"


def _disk() -> Outcome:
    folder = settings.STATE_DIR
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    percent = 100 * usage.free / usage.total
    figure = f"{number_format(usage.free / 2**30, 1)} / {number_format(usage.total / 2**30, 1)} GB"
    says = _("%(percent)s %% of the disk with the state folder are free.") % {"percent": f"{percent:.0f}"}
    if usage.free < LEAST_FREE or percent < LEAST_PERCENT:
        return Outcome("warning", says, figure, _("Make room: a full disk stops the embedded database and broker."))
    return passed(says, figure)


def _growth() -> Outcome:
    size, growth, last = filesizeformat(retention.size_now()), retention.growth(), retention.last_pruned()
    says = _("How fast the database grows is known after two nights.")
    if growth is not None:
        says = _("The database grows by %(size)s a day.") % {"size": filesizeformat(max(growth, 0))}
    if last is None or timezone.now() - last < PRUNED_WITHIN:
        return passed(says, size)
    remedy = _(
        "It is beat's to ask for every night, and the worker's of tests and mails to do: see their logs for “pruned”."
    )
    return Outcome("warning", _("Nothing was pruned since %(day)s.") % {"day": f"{last:%Y-%m-%d}"}, size, remedy)


def _backup() -> Outcome:
    last = retention.last_backup()
    if last and timezone.now() - last < BACKED_UP_WITHIN:
        return passed(_("The last one was made on %(day)s.") % {"day": f"{last:%Y-%m-%d}"})
    if settings.DEMO:
        return passed(_("A demo needs none."))
    if not Tenant.objects.on_or_paused().exists():
        return passed(_("Nothing is on yet that would be lost."))
    says = _("The last one is of %(day)s.") % {"day": f"{last:%Y-%m-%d}"} if last else _("None is known.")
    remedy = _(
        "Call manage.py backup FILE every day. If another tool does it, let it call manage.py backup --noted afterwards."
    )
    return Outcome("warning", says, remedy=remedy)


def _audit() -> Outcome:
    checked = last_check()
    if checked is None:
        return passed(_("The audit log is checked every night."))
    says = _("%(found)s findings among %(entries)s entries.") % {"found": checked.found, "entries": checked.entries}
    if checked.found:
        remedy = _("Keep a copy of the database. manage.py audit_verify says what is not as it was written.")
        return Outcome("failed", says, remedy=remedy)
    if timezone.now() - checked.at > CHECKED_WITHIN:
        last = _("Nobody has checked it since %(day)s.") % {"day": f"{checked.at:%Y-%m-%d}"}
        return Outcome("warning", last, remedy=_("It is beat's to ask for every night, and a worker's of syncs to do."))
    return passed(_("Unbroken, on %(day)s.") % {"day": f"{checked.at:%Y-%m-%d}"}, str(checked.entries))


def _keys() -> Outcome:
    uses = rotation.key_uses()
    if problems := rotation.problems(uses):
        return Outcome("failed", " ".join(problems), remedy=_("Put the missing line back into SEAL_KEYS."))
    if left := [use.key for use in uses if use.rows and not use.seals]:
        says = _("Some secrets still hang on another key: %(keys)s.") % {"keys": ", ".join(left)}
        return Outcome("warning", says, remedy=_("Call manage.py rotate_key."))
    return passed(_("The key ring opens all that is stored."))


# Outside


def _broker() -> Outcome:
    began = time.monotonic()
    with current_app.connection_for_write() as broker:
        try:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS, interval_start=0)
        except (OSError, OperationalError) as error:
            says = _("It does not answer: %(reason)s") % {"reason": error}
            return Outcome("failed", says, remedy=NO_BROKER)
    return passed(_("It answers."), _ms(began))


def _mail() -> Outcome:
    unsent = failed_mails() | retried_mails()
    if count := unsent.count():
        last = unsent.first()
        says = ngettext("%(n)s mail could not be sent: %(reason)s", "%(n)s mails could not be sent: %(reason)s", count)
        remedy = _("See that SMTP_HOST, SMTP_PORT and the password are right. A mail is tried for two days.")
        return Outcome("failed", says % {"n": count, "reason": last.error if last else ""}, remedy=remedy)
    if "smtp" not in settings.EMAIL_BACKEND:
        wanted = Channel.objects.filter(kind=Channel.Kind.EMAIL, on=True).exists()
        says, remedy = _("Without SMTP_HOST a mail is a line of the log."), _("Set SMTP_HOST; tenants want mails.")
        return Outcome("warning", says, remedy=remedy) if wanted else passed(says)
    return passed(_("No mail waits or failed."), settings.EMAIL_HOST)


def _audit_copies() -> Outcome:
    if not settings.AUDIT_SHIP_TO:
        return passed(_("AUDIT_SHIP_TO names no place: the audit log stands in the database alone."))
    head = AuditHead.objects.first() or AuditHead()
    waiting = AuditEntry.objects.filter(position__gt=head.shipped).order_by("position")
    oldest = waiting.values_list("at", flat=True).first()
    age = timezone.now() - oldest if oldest else datetime.timedelta()
    if age < SHIPPED_WITHIN:
        return passed(_("Shipped up to entry %(position)s.") % {"position": head.shipped})
    says = _("Entries after %(position)s were not shipped yet: %(reason)s") % {
        "position": head.shipped,
        "reason": head.ship_error or _("no worker did"),
    }
    remedy = _("See that what AUDIT_SHIP_TO names can be reached and takes lines. It is tried again for ever.")
    return Outcome("failed", says, _seconds(age.total_seconds()), remedy)


def _clock(asked_at: datetime.datetime, found: Sequence[Process]) -> Outcome:
    """The database's clock decides about leases. `asked_at`: when the database was asked for the processes, by ours."""
    if not found:
        return passed(_("Nothing to compare yet."))
    apart = abs((found[0].now - asked_at).total_seconds())
    says = _("This machine's clock against the database's.")
    if apart < CLOCK_SECONDS:
        return passed(says, f"{number_format(apart, 1)} s")
    return Outcome(
        "warning",
        says,
        f"{number_format(apart, 1)} s",
        _("Keep both machines in time by NTP: leases and tokens end by the clock."),
    )


# Name, group, title, whether it needs the database, what it comes to.
Asked = tuple[str, Group, str | Promise, bool, Callable[[], Outcome]]


def _all(database: Outcome, asked_at: datetime.datetime, found: Sequence[Process]) -> list[Asked]:
    return [
        ("worker", "work", gettext_lazy("Worker of syncs"), True, lambda: _worker(found, RUNS)),
        ("quick", "work", gettext_lazy("Worker of tests and mails"), True, lambda: _worker(found, QUICK)),
        ("beat", "work", gettext_lazy("Beat"), True, lambda: _beat(found)),
        ("queue", "work", gettext_lazy("Queue"), True, _queue),
        ("late", "work", gettext_lazy("Tenants"), True, _late),
        ("database", "storage", gettext_lazy("Database"), False, lambda: database),
        ("disk", "storage", gettext_lazy("Disk"), False, _disk),
        ("growth", "storage", gettext_lazy("Size and growth"), True, _growth),
        ("backup", "storage", gettext_lazy("Backup"), True, _backup),
        ("chain", "storage", gettext_lazy("Audit log"), True, _audit),
        ("keys", "storage", gettext_lazy("Key ring"), True, _keys),
        ("broker", "outside", gettext_lazy("Broker"), False, _broker),
        ("mail", "outside", gettext_lazy("Mail"), True, _mail),
        ("audit", "outside", gettext_lazy("Copies of the audit log"), True, _audit_copies),
        ("clock", "outside", gettext_lazy("Clock"), True, lambda: _clock(asked_at, found)),
    ]
