"""The overview: is it on, is it healthy, does it need me?"""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.access import signed_in, tenant_for
from portal.http import HttpRequest
from portal.render import render_page
from portal.roles import Right
from sync.models import DirectoryUser, Link, MembershipLink, Tenant
from sync.problems import PROBLEMS
from sync.services.tenants import configuration_of


@require_safe
@signed_in
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """Until provisioning was turned on for the first time, the page is the set-up task list."""
    tenant = tenant_for(request, slug, Right.READ)
    if tenant.enabled_changed_at is None:
        return redirect("setup", tenant.slug)
    context = {
        "tenant": tenant,
        "needs": needs(tenant),
        "last_run": tenant.runs.first(),
        "figures": figures(tenant),
        "path": path_of_data(tenant),
        "as_of": tenant.snapshots.exclude(sealed_at=None).order_by("-pk").values_list("sealed_at", flat=True).first(),
        "strip": list(reversed(tenant.runs.finished()[:48])),
    }
    return render_page(request, "overview/detail.html", context, partial="live")


def needs(tenant: Tenant) -> list[dict[str, Any]]:
    """Open incidents and credentials that end, most urgent first, five at most."""
    found: list[dict[str, Any]] = [
        {
            "problem": PROBLEMS[incident.code],
            "attribute": incident.attribute,
            "run": incident.last_seen,
            "since": incident.opened_at,
        }
        for incident in tenant.incidents.filter(solved_at=None).select_related("last_seen")
        if incident.code in PROBLEMS
    ]
    ends = [(tenant.aws.token_ends_on, "aws"), (tenant.entra.credential_ends_on, "entra")]
    for end, half in ends:
        days = (end - timezone.now().date()).days if end else None
        if days is not None and days <= 90:
            found.append({"ends": end, "days": days, "half": half})
    return found[:5]


def figures(tenant: Tenant) -> dict[str, Any]:
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
