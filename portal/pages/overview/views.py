"""The overview: is it on, is it healthy, does it need me?"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.rights import can_everywhere
from portal.access.roles import Right
from portal.frame.around import TenantFrame
from portal.frame.render import render_page, wants_partial
from portal.pages.overview.day import last_day
from portal.words.holds import hold_heading
from portal.words.provisioning import Provisioning
from sync.approvals import queries
from sync.health.queries.presence import absence, late
from sync.models import Tenant, Word
from sync.notifications.queries import no_channel_works, stays_off
from sync.problems.catalogue import NOT_OF_RUNS, PROBLEMS, STAYED_OFF
from sync.problems.languages import grouped
from sync.runs.restored import RESTORED, waits_for_comparison
from sync.standings import queries as standings
from sync.standings.queries import Cause, Step

NEEDS_SHOWN = 8
# Words that somebody has to do something about; what is held is said by its decision.
WORDS = tuple(word for word in (*standings.WAITS_FOR_SOMEBODY, Word.DIFFERS) if word != Word.HELD)
# Who comes no further, by the step that they do not reach.
LOST = {
    "assigned": gettext_lazy("%(n)s not assigned"),
    "in_scope": gettext_lazy("%(n)s outside scope"),
    "ready": gettext_lazy("%(n)s not ready"),
    "in_aws": gettext_lazy("%(n)s not in AWS"),
}
STEPS = {
    "directory": gettext_lazy("In Entra"),
    "assigned": gettext_lazy("Assigned"),
    "in_scope": gettext_lazy("In scope"),
    "ready": gettext_lazy("Ready for AWS"),
    "in_aws": gettext_lazy("In AWS"),
}


@page(read=Right.READ)
def overview(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Until provisioning was turned on for the first time, the page is the set-up task list."""
    if tenant.enabled_changed_at is None:
        return redirect("setup", tenant.slug)
    frame = TenantFrame.of(request, tenant)
    provisioning = frame.provisioning
    everything = [*waits(tenant, provisioning), *needs(tenant, provisioning)]
    figures, day = standings.figures(tenant), last_day(tenant)
    context = {
        "tenant": tenant,
        "polled": wants_partial(request),
        "missing": absence() if tenant.enabled or tenant.paused else "",
        "own": can_everywhere(request.user, Right.OWN),
        "late": late(tenant, frame.newest.asked_at),
        "provisioning": provisioning,
        "needs": everything[:NEEDS_SHOWN],
        "needs_count": len(everything),
        "nobody_told": no_channel_works(tenant),
        "last_run": frame.newest.sync,
        "figures": figures,
        "than_yesterday": than_yesterday(day.before, figures.reaching),
        "path": path_of_data(tenant, figures.path),
        "as_of": frame.newest.as_of,
        "day": day,
    }
    return render_page(request, "overview/detail.html", context, partial="live")


def than_yesterday(before: int | None, reaching: int) -> str:
    """`before`: None where no sync left anything a day ago."""
    if before is None:
        return ""
    words = _("%(n)s more than yesterday") if reaching > before else _("%(n)s fewer than yesterday")
    return words % {"n": grouped(abs(reaching - before))} if reaching != before else _("as many as yesterday")


def waits(tenant: Tenant, provisioning: Provisioning) -> list[dict[str, Any]]:
    """What waits for a person's decision."""
    found: list[dict[str, Any]] = []
    if waits_for_comparison(tenant):
        facts = {"since": tenant.restored_at, "url": reverse("drift", args=[tenant.slug]), "action": _("Compare")}
        found.append(_words(RESTORED) | facts)
    if stayed_off := stays_off(tenant):
        facts = {"since": stayed_off.opened_at, "url": reverse("turn_on", args=[tenant.slug]), "action": _("Turn on")}
        found.append(_words(STAYED_OFF) | facts)
    if provisioning.plan:
        url = reverse("run", args=[tenant.slug, provisioning.plan.number]) + "#plan"
        facts = {"since": provisioning.plan.finished_at, "url": url, "action": _("See the plan")}
        found.append(_words("not-confirmed") | facts)
    if provisioning.shrunken:
        facts = {"since": provisioning.shrunken.finished_at, "url": reverse("approvals", args=[tenant.slug])}
        found.append(_words(provisioning.shrunken.suspect) | facts | {"action": _("Review")})
    for hold, waiting in queries.waiting_holds(tenant, provisioning.waiting):
        facts = {"since": hold.opened_at, "url": reverse("approval", args=[tenant.slug, hold.pk])}
        action = _("Review %(n)s") % {"n": grouped(waiting)}
        found.append(_words(f"held-{hold.kind}") | facts | {"waits": hold_heading(hold, waiting), "action": action})
    return found


def _words(code: str) -> dict[str, Any]:
    return {"waits": PROBLEMS[code].title, "meaning": PROBLEMS[code].meaning}


def needs(tenant: Tenant, provisioning: Provisioning) -> list[dict[str, Any]]:
    """What is the matter with whom, what stopped runs, and credentials that end; what a banner or a decision says is not
    repeated."""
    # Those that settle by themselves are left out, so that a few more are named than are shown.
    causes = standings.causes(tenant, WORDS, named=2 * NEEDS_SHOWN)
    found = [_of_cause(tenant, cause) for cause in causes if not _settles(cause)]
    return [*found, *_of_runs(tenant, provisioning), *_endings(tenant)]


def _settles(cause: Cause) -> bool:
    return cause.code in PROBLEMS and PROBLEMS[cause.code].warning


def _of_cause(tenant: Tenant, cause: Cause) -> dict[str, Any]:
    chosen = {"kind": cause.kind, "word": cause.word.value, "code": cause.code, "attribute": cause.attribute}
    rest = cause.count - len(cause.names)
    return {
        "cause": cause,
        "title": PROBLEMS[cause.code].title if cause.code in PROBLEMS else cause.word.label,
        "named": list(zip(cause.object_ids, cause.names, strict=True)),
        "more": rest,
        "since": cause.since,
        "url": f"{reverse(_list_of(cause), args=[tenant.slug])}?{urlencode(chosen)}",
    }


def _list_of(cause: Cause) -> str:
    """The page that lists them, by its name."""
    return "only_in_aws" if cause.word == Word.ONLY_IN_AWS else "people"


def _of_runs(tenant: Tenant, provisioning: Provisioning) -> list[dict[str, Any]]:
    shown = {tenant.quarantine_code, "not-confirmed", provisioning.shrunken.suspect if provisioning.shrunken else ""}
    incidents = tenant.incidents.filter(solved_at=None, of_run=True).exclude(code__in=NOT_OF_RUNS)
    return [
        {"problem": PROBLEMS[incident.code], "run": incident.last_seen, "since": incident.opened_at}
        for incident in incidents.select_related("last_seen")
        if incident.code in PROBLEMS and incident.code not in shown
    ]


def _endings(tenant: Tenant) -> list[dict[str, Any]]:
    found = []
    for end, half in [(tenant.aws.token_ends_on, "aws"), (tenant.entra.credential_ends_on, "entra")]:
        days = (end - timezone.now().date()).days if end else None
        if days is not None and days <= 90:
            found.append({"ends": end, "days": days, "half": half})
    return found


def path_of_data(tenant: Tenant, path: Sequence[Step]) -> list[dict[str, Any]]:
    """Every step with those who come no further."""
    people = reverse("people", args=[tenant.slug])
    return [
        {
            "step": step,
            "title": STEPS[step.name],
            "url": f"{people}?dropped_at={step.name}",
            "lost": LOST[step.name] % {"n": grouped(step.dropped)} if step.dropped and step.name in LOST else "",
        }
        for step in path
    ]
