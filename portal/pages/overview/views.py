"""The overview: is it on, is it healthy, does it need me?"""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.frame.render import render_page
from portal.words.holds import hold_heading
from portal.words.standing import Standing, standing_of
from sync.approvals import queries
from sync.configuration.current import configuration_of
from sync.models import DirectoryUser, HeldChange, Link, MembershipLink, Tenant
from sync.problems.catalogue import OF_CREDENTIALS, PROBLEMS


@page(read=Right.READ)
def overview(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Until provisioning was turned on for the first time, the page is the set-up task list."""
    if tenant.enabled_changed_at is None:
        return redirect("setup", tenant.slug)
    standing = standing_of(tenant)
    context = {
        "tenant": tenant,
        "standing": standing,
        "needs": [*waits(tenant, standing), *needs(tenant, standing)][:5],
        "last_run": tenant.runs.whole().first(),
        "figures": overview_figures(tenant),
        "path": path_of_data(tenant),
        "as_of": tenant.snapshots.exclude(sealed_at=None).order_by("-pk").values_list("sealed_at", flat=True).first(),
        "strip": list(reversed(tenant.runs.whole().finished()[:48])),
    }
    return render_page(request, "overview/detail.html", context, partial="live")


def waits(tenant: Tenant, standing: Standing) -> list[dict[str, Any]]:
    """What waits for a person's decision."""
    found: list[dict[str, Any]] = []
    if standing.plan:
        url = reverse("run", args=[tenant.slug, standing.plan.number]) + "#plan"
        facts = {"since": standing.plan.finished_at, "url": url, "action": _("See the plan")}
        found.append(_words("not-confirmed") | facts)
    if standing.shrunken:
        facts = {"since": standing.shrunken.finished_at, "url": reverse("approvals", args=[tenant.slug])}
        found.append(_words(standing.shrunken.suspect) | facts | {"action": _("Review")})
    for hold in queries.open_holds(tenant):
        waiting = HeldChange.objects.waiting().filter(hold=hold).count()
        if waiting:
            facts = {"since": hold.opened_at, "url": reverse("approval", args=[tenant.slug, hold.pk])}
            action = _("Review %(n)s") % {"n": f"{waiting:,}"}
            found.append(_words(f"held-{hold.kind}") | facts | {"waits": hold_heading(hold, waiting), "action": action})
    return found


def _words(code: str) -> dict[str, Any]:
    return {"waits": PROBLEMS[code].title, "meaning": PROBLEMS[code].meaning}


def needs(tenant: Tenant, standing: Standing) -> list[dict[str, Any]]:
    """Open incidents and credentials that end, most urgent first; what a banner or a decision says is not repeated."""
    shown = {
        *OF_CREDENTIALS,
        tenant.quarantine_code,
        "not-confirmed",
        standing.shrunken.suspect if standing.shrunken else "",
    }
    found: list[dict[str, Any]] = [
        {
            "problem": PROBLEMS[incident.code],
            "attribute": incident.attribute,
            "run": incident.last_seen,
            "since": incident.opened_at,
        }
        for incident in tenant.incidents.filter(solved_at=None).select_related("last_seen")
        if incident.code in PROBLEMS and incident.code not in shown and not incident.code.startswith("held-")
    ]
    ends = [(tenant.aws.token_ends_on, "aws"), (tenant.entra.credential_ends_on, "entra")]
    for end, half in ends:
        days = (end - timezone.now().date()).days if end else None
        if days is not None and days <= 90:
            found.append({"ends": end, "days": days, "half": half})
    return found


def overview_figures(tenant: Tenant) -> dict[str, Any]:
    links = Link.objects.filter(tenant=tenant).exclude(scim_id="")
    return {
        "in_sync": links.filter(object_type="user", active=True, failures=0).count(),
        "in_scope": DirectoryUser.objects.filter(tenant=tenant, in_scope=True).count(),
        "groups": links.filter(object_type="group").count(),
        "memberships": MembershipLink.objects.filter(tenant=tenant).count(),
        "problems": Link.objects.filter(tenant=tenant, failures__gt=0).count(),
    }


def path_of_data(tenant: Tenant) -> dict[str, int]:
    """How many people come how far."""
    people = DirectoryUser.objects.filter(tenant=tenant, deleted="")
    assigned = people.exclude(scope_reason__in=("not-assigned", ""))
    in_scope = people.filter(in_scope=True)
    written = Link.objects.filter(tenant=tenant, object_type="user", active=True, failures=0).exclude(scim_id="")
    assignments = configuration_of(tenant).assignments
    return {
        "directory": people.count(),
        "assigned": assigned.count(),
        "in_scope": in_scope.count(),
        "in_aws": in_scope.filter(object_id__in=written.values("object_id")).count(),
        "groups": assignments.filter(object_type="group").count(),
        "people": assignments.filter(object_type="user").count(),
    }
