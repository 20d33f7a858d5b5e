"""The list of tenants, and a new one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.access.pages import Audience, site_page
from portal.access.request import HttpRequest
from portal.access.rights import can_everywhere, visible_tenants
from portal.access.roles import Right
from portal.frame.render import redirect_to, render_page
from portal.pages.tenants.forms import TenantForm
from portal.words.provisioning import provisioning_of
from sync.approvals import queries
from sync.health.queries.presence import absence, late_tenants
from sync.models import Run
from sync.standings import queries as standings
from sync.tenants.services import create_tenant


@site_page(read=Audience.SIGNED_IN)
def tenants(request: HttpRequest) -> HttpResponse:
    """With exactly one tenant the page forwards to it; ?stay=1 shows the list."""
    found = list(visible_tenants(request.user).select_related("entra", "aws"))
    if len(found) == 1 and "stay" not in request.GET:
        return redirect("overview", found[0].slug)
    late = {one.tenant.pk: one for one in late_tenants()}
    numbers, waiting = standings.summaries(found), queries.waiting_of(found)
    last = {run.tenant_id: run for run in queries.newest_of(found, Run.objects.syncs())}
    rows = [
        {
            "tenant": tenant,
            "late": late.get(tenant.pk),
            "word": provisioning_of(tenant, waiting[tenant.pk]).word,
            "last_run": last.get(tenant.pk),
            "reaching": numbers[tenant.pk].reaching,
            "worst": numbers[tenant.pk].worst,
        }
        for tenant in found
    ]
    own = can_everywhere(request.user, Right.OWN)
    missing = absence() if any(tenant.enabled for tenant in found) else ""
    return render_page(request, "tenants/list.html", {"rows": rows, "own": own, "missing": missing})


@site_page(read=Right.OWN, act=Right.OWN)
def tenant_new(request: HttpRequest) -> HttpResponse:
    form = TenantForm(request.POST or None, initial={"time_zone": request.user.time_zone})
    if request.method == "POST" and form.is_valid():
        tenant = create_tenant(actor=request.user.email, **form.cleaned_data)
        messages.success(request, _("Made the tenant %(name)s. Connect both sides next.") % {"name": tenant.name})
        return redirect_to(request, "setup", tenant.slug)
    return render_page(request, "tenants/new.html", {"form": form}, status=422 if form.errors else 200)
