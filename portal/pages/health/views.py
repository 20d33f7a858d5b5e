"""The named checks of the installation, each with its remedy; what is kept; the network around it."""

from collections.abc import Iterable

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.access.pages import site_page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.frame.render import render_page
from portal.pages.health.network import hosts, way_in, way_out
from sync.health.queries.checks import Check, checks, worst
from sync.retention import queries

GROUPS = {"work": _("Work"), "storage": _("Storage"), "outside": _("Outside")}


@site_page(read=Right.OWN)
def health(request: HttpRequest) -> HttpResponse:
    found = checks()
    context = {
        "groups": [(title, [check for check in found if check.group == name]) for name, title in GROUPS.items()],
        "worst": worst(found),
        "failed": sum(check.outcome.state == "failed" for check in found),
        "warnings": sum(check.outcome.state == "warning" for check in found),
        "total": len(found),
        "report": report_of(found),
    }
    return render_page(request, "health/detail.html", context, partial="live")


def report_of(found: Iterable[Check]) -> str:
    """The checks as text, for whoever is asked for help."""
    head = f"Lockstep {settings.VERSION}, {timezone.now():%Y-%m-%d %H:%M} UTC"
    return "\n".join([head, *(line for check in found for line in lines_of(check))])


def lines_of(check: Check) -> list[str]:
    outcome = check.outcome
    said = f"{outcome.state}: {check.title}: {outcome.says}" + (f" ({outcome.figure})" if outcome.figure else "")
    return [said, *([f"-> {outcome.remedy}"] if outcome.remedy else [])]


@site_page(read=Right.OWN)
def retention(request: HttpRequest) -> HttpResponse:
    """What is kept for how long, and what goes the next night."""
    context = {"due": queries.due(), "database_bytes": queries.size_now(), "growth": queries.growth()}
    return render_page(request, "health/retention.html", context)


@site_page(read=Right.OWN)
def network(request: HttpRequest) -> HttpResponse:
    """What the environment says, to be read: nothing of it is changed here."""
    parts = [(_("The way in"), "way-in", way_in()), (_("The way out"), "way-out", way_out())]
    context = {"parts": parts, "hosts": hosts(), "last_backup": queries.last_backup()}
    return render_page(request, "health/network.html", context)
