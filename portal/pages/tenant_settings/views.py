"""A tenant's name and time zone; its short name stands in addresses and stays. And its end."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.render import redirect_to, render_page
from portal.pages.tenant_settings.forms import DeletionForm, TenantSettingsForm
from sync.configuration.editing import revision
from sync.models import Tenant
from sync.tenants.queries import keeps_from_deleting, stays_in_aws
from sync.tenants.services import CannotDelete, NameTaken, TenantChanged, delete_tenant, rename_tenant

LEFT = gettext_lazy(
    "Microsoft could not be told to send no more change notifications. It stops by itself on %(when)s; nobody heeds them."
)


@page(read=Right.OWN, act=Right.OWN, step_up=StepUp.TO_ACT)
def tenant_delete(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = DeletionForm(request.POST or None, name=tenant.slug)
    if request.method == "POST" and form.is_valid():
        try:
            left_until = delete_tenant(tenant=tenant, actor=request.user.email)
        except CannotDelete:
            messages.error(request, _("Nothing was deleted: provisioning is on, or a run is in progress."))
            return redirect_to(request, "tenant_delete", tenant.slug)
        messages.success(request, _("%(name)s is deleted. What it had in AWS is there still.") % {"name": tenant.name})
        if left_until:
            messages.warning(request, LEFT % {"when": date_format(timezone.localtime(left_until), "j M Y")})
        return redirect_to(request, "tenants")
    context = {"tenant": tenant, "form": form, "kept": keeps_from_deleting(tenant), "stays": stays_in_aws(tenant)}
    question = _("Delete %(name)s?") % {"name": tenant.name}
    status = 422 if form.is_bound else 200
    return render_page(request, "tenant_settings/delete.html", {**context, "question": question}, status=status)


@page(read=Right.OWN, act=Right.OWN)
def tenant_settings(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    if request.method != "POST":
        initial = {"name": tenant.name, "time_zone": tenant.time_zone}
        return form_page(request, tenant, TenantSettingsForm(initial=initial, zone=tenant.time_zone))
    form = TenantSettingsForm(request.POST, zone=tenant.time_zone)
    if not form.is_valid():
        return form_page(request, tenant, form, status=422)
    try:
        if rename_tenant(tenant=tenant, actor=request.user.email, **form.cleaned_data):
            messages.success(request, _("Saved."))
    except NameTaken:
        form.add_error("name", _("A tenant has this name already. Choose another one."))
        return form_page(request, tenant, form, status=422)
    except TenantChanged:
        tenant.refresh_from_db()
        return form_page(request, tenant, form, status=409, conflict=True)
    return redirect_to(request, "tenant_settings", tenant.slug)


def form_page(
    request: HttpRequest, tenant: Tenant, form: TenantSettingsForm, *, status: int = 200, conflict: bool = False
) -> HttpResponse:
    """After a `conflict` what was typed stays, beside what somebody else saved: to save again is to overwrite it."""
    context = {"tenant": tenant, "form": form, "seen": revision(tenant), "conflict": conflict}
    if form.is_bound and not conflict:
        context["seen"] = form.data.get("seen", "")
    return render_page(request, "tenant_settings/edit.html", context, status=status)
