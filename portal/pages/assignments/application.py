"""The enterprise application whose assignments are mirrored: choosing one, and following none."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.html import escape
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.frame.render import redirect_to, render_page
from sync.configuration.drafts import draft_or_current
from sync.configuration.settings import set_settings
from sync.directory import live
from sync.models import Tenant


@page(read=Right.CONFIGURE, act=Right.CONFIGURE, edits_draft=True)
def application(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """A search by name or object id; *Follow* posts the object id of one."""
    text = request.GET.get("q", "").strip()
    followed = request.POST.get("application", "").strip()
    context: dict[str, Any] = {"tenant": tenant, "text": text, "current": draft_or_current(tenant).mirrored_app}
    # Whoever may not read applications can still name one by its object id.
    context["by_id"] = text if live.is_guid(text) else ""
    if request.method == "POST" and live.is_guid(followed):
        return _follow(request, tenant, followed)
    context |= _found(tenant, text)
    context["invalid"] = request.method == "POST"
    status = 422 if request.method == "POST" else 200
    return render_page(request, "assignments/application.html", context, partial="found", status=status)


def _found(tenant: Tenant, text: str) -> dict[str, Any]:
    try:
        return {"found": live.applications(tenant, text)}
    except live.FORBIDDEN:
        return {"forbidden": True}
    except live.UNREADABLE as error:
        return {"unreadable": True, "wait": live.seconds_to_wait(error)}


def _follow(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    set_settings(actor=request.user.email, tenant=tenant, mirrored_app=object_id.lower())
    messages.success(request, _("Its assignments come with the next run that uses these rules."))
    return redirect_to(request, "assignments", tenant.slug)


@page(read=Right.ON_DEMAND)
def application_name(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """What the followed application is called now, else its object id."""
    object_id = draft_or_current(tenant).mirrored_app
    try:
        name = live.application_name(tenant, object_id) if object_id else ""
    except live.UNREADABLE:
        name = object_id
    return HttpResponse(escape(name))


@page(act=Right.CONFIGURE, edits_draft=True)
def application_stop(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    set_settings(actor=request.user.email, tenant=tenant, mirrored_app="")
    messages.success(request, _("No enterprise application is followed. What came from it is no longer assigned."))
    return redirect_to(request, "assignments", tenant.slug)
