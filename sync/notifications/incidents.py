"""Incidents open and close by what a finished run met; a mail goes out when one opens, none while it repeats."""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.engine.guard import holds
from sync.models import Delivery, Incident, Run
from sync.problems.catalogue import OF_COMPARISONS, PROBLEMS
from sync.problems.grouping import ProblemGroup, problem_groups


@transaction.atomic
def after_run(run: Run) -> None:
    """Opens and closes what the run met; one mail for all that is new."""
    groups = [group for group in problem_groups(run) if not group.problem.warning]
    met = {(group.code, group.attribute) for group in groups}
    if run.state in (Run.State.FAILED, Run.State.WAITING):
        met.add((run.problem, ""))
    if run.suspect:
        met.add((run.suspect, ""))
    met |= {(f"held-{kind}", "") for kind in holds.waiting_counts(run.tenant)}
    opened = _open(run, met)
    if run.state in (Run.State.COMPLETED, Run.State.COMPLETED_WITH_ERRORS):
        _solve(run, met)
    if not opened or not run.tenant.notify_on_failure or not run.tenant.notification_email:
        return
    fresh = [group for group in groups if (group.code, group.attribute) in opened]
    whole_run = [code for code, attribute in sorted(opened) if not attribute and code not in {g.code for g in groups}]
    _write_mail(run, fresh, whole_run)


def _open(run: Run, met: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    opened = set()
    for code, attribute in met:
        incident, created = Incident.objects.get_or_create(
            tenant=run.tenant,
            code=code,
            attribute=attribute,
            solved_at=None,
            defaults={"opened_at": timezone.now(), "opened_by": run, "last_seen": run},
        )
        if created:
            opened.add((code, attribute))
        elif incident.last_seen_id != run.pk:
            incident.last_seen = run
            incident.save(update_fields=["last_seen"])
    return opened


def _solve(run: Run, met: set[tuple[str, str]]) -> None:
    """Over is what a later run did not meet, for which nobody is still refused, and nobody in escrow still waits."""
    links = run.tenant.links
    waiting = set(links.filter(failures__gt=0).values_list("failure_code", flat=True))
    refused = set(links.exclude(refused_code="").values_list("refused_code", "refused_attribute").distinct())
    theirs = Q(code__in=OF_COMPARISONS)
    judged = theirs if run.kind == Run.Kind.VERIFY else ~theirs
    for incident in Incident.objects.filter(judged, tenant=run.tenant, solved_at=None):
        if (incident.code, incident.attribute) not in met | refused and incident.code not in waiting:
            incident.solved_at = timezone.now()
            incident.save(update_fields=["solved_at"])


def _write_mail(run: Run, groups: list[ProblemGroup], codes: list[str]) -> None:
    """`codes`: problems of the whole run, such as why it failed or what waits for an approval."""
    failed = run.state == Run.State.FAILED
    title = PROBLEMS[codes[0]].title if codes else groups[0].problem.title
    state = _("Sync failed") if failed else _("New problem") if groups else _("Waiting for you")
    Delivery.objects.create(
        tenant=run.tenant,
        run=run,
        recipient=run.tenant.notification_email,
        subject=" ".join(f"[{run.tenant.name}] {state}: {title}".split())[:250],
        body="\n\n".join(_paragraphs(run, groups, codes)),
    )


def _paragraphs(run: Run, groups: list[ProblemGroup], codes: list[str]) -> Iterable[str]:
    if run.state == Run.State.FAILED:
        yield _("Run %(number)s failed.") % {"number": run.number}
    for code in codes:
        problem = PROBLEMS[code]
        yield f"{problem.title}. {problem.meaning} {problem.remedy}"
    for group in groups:
        people = ngettext("%(n)s object", "%(n)s objects", group.objects) % {"n": group.objects}
        quoted = f'\n{group.quoted} "{group.error}"' if group.error else ""
        yield f"{group.problem.title} ({people}). {group.meaning} {group.problem.remedy}{quoted}"
    path = reverse("run", args=[run.tenant.slug, run.number])
    yield f"{_('Run %(number)s:') % {'number': run.number}} {settings.PUBLIC_URL}{path}"
    yield _("While this problem lasts, no further mail comes about it.")
