"""The list of tenants, and a new one."""

from collections import Counter

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.access.pages import Audience, site_page
from portal.access.request import HttpRequest
from portal.access.rights import can_everywhere, visible_tenants
from portal.access.roles import Right
from portal.frame.render import redirect_to, render_page
from portal.pages.tenants.forms import ListForm, TenantForm
from portal.pages.tenants.rows import STATES, rows_of
from sync.health.queries.presence import absence
from sync.tenants.services import create_tenant

# With fewer nobody has to look for one.
SEARCHED_FROM = 8


@site_page(read=Audience.SIGNED_IN)
def tenants(request: HttpRequest) -> HttpResponse:
    """With exactly one tenant the page forwards to it; ?stay=1 shows the list."""
    found = list(visible_tenants(request.user).select_related("entra", "aws"))
    if len(found) == 1 and "stay" not in request.GET:
        return redirect("overview", found[0].slug)
    form = ListForm(request.GET)
    form.is_valid()
    rows = rows_of(found)
    counts = Counter(row.word for row in rows)
    context = {
        "rows": [row for row in rows if form.shows(row)],
        "any": bool(rows),
        "form": form,
        "searchable": len(rows) >= SEARCHED_FROM,
        "counters": [(word, counts[word], form.link(word)) for word in STATES if counts[word]],
        "own": can_everywhere(request.user, Right.OWN),
        "missing": absence() if any(tenant.enabled or tenant.paused for tenant in found) else "",
    }
    return render_page(request, "tenants/list.html", context, partial="rows")


@site_page(read=Right.OWN, act=Right.OWN)
def tenant_new(request: HttpRequest) -> HttpResponse:
    form = TenantForm(request.POST or None, initial={"time_zone": request.user.time_zone})
    if request.method == "POST" and form.is_valid():
        tenant = create_tenant(actor=request.user.email, **form.cleaned_data)
        messages.success(request, _("Made the tenant %(name)s. Connect both sides next.") % {"name": tenant.name})
        return redirect_to(request, "setup", tenant.slug)
    return render_page(request, "tenants/new.html", {"form": form}, status=422 if form.errors else 200)
