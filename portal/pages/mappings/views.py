"""The table of mappings, what may be done in AWS, and the people beside it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right, lowest_role_with
from portal.frame.render import redirect_to, render_page, render_question
from portal.pages.mappings import examples
from portal.pages.mappings.page import SETTINGS, MappingPage, table_context
from portal.words.aws_fields import short_path
from sync.configuration import mappings as service
from sync.configuration import versions
from sync.configuration.editing import Refused, problem_sentence
from sync.configuration.items import setting_key
from sync.configuration.leavers import disable_leavers
from sync.configuration.settings import set_settings
from sync.directory import live
from sync.models import DirectoryUser, Tenant
from sync.preview.queries import filter_effects
from sync.rules.rows import ObjectType


@page(read=Right.READ)
def mappings(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    here = MappingPage(request, tenant, object_type)
    return render_page(request, "mappings/list.html", table_context(here) | _found_people(here), partial="people")


def _found_people(here: MappingPage) -> dict[str, Any]:
    """`needs`: the role that looks people up in Entra, for people who find those of the mirror only."""
    text = here.request.GET.get("find", "")
    found: dict[str, Any] = {"people_text": text, "people": [], "unreadable": False}
    if not here.of_people:
        return found
    if not can(here.request.user, here.tenant, Right.ON_DEMAND):
        rows = filter_effects.search(here.tenant, "user", text[:100])
        people = [live.mirrored_user(row) for row in rows if isinstance(row, DirectoryUser)]
        return found | {"people": people, "needs": lowest_role_with(Right.ON_DEMAND).label}
    try:
        found["people"] = live.search_people(here.tenant, text)
    except live.UNREADABLE:
        found["unreadable"] = True
    return found


@page(read=Right.CONFIGURE, act=Right.CONFIGURE)
def mappings_reset(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    if request.method == "POST":
        service.reset_mappings(actor=request.user.email, tenant=tenant, object_type=object_type)
        messages.success(request, _("The mappings are those of Entra's template again."))
        return redirect_to(request, MappingPage(request, tenant, object_type).url("mappings"))
    context = {
        "tenant": tenant,
        "object_type": object_type,
        "rows": len(service.template(object_type)),
        "published": tenant.configurations.published().exists(),
    }
    return render_question(request, "mappings/reset.html", _("Go back to the default mappings?"), context)


@page(act=Right.CONFIGURE)
def mappings_recommended(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    service.apply_recommended(actor=request.user.email, tenant=tenant)
    messages.success(request, _("The mappings are as recommended for AWS."))
    if request.POST.get("back") == "turn_on":
        return redirect_to(request, "turn_on", tenant.slug)
    return redirect_to(request, MappingPage(request, tenant, "user").url("mappings"))


@page(act=Right.CONFIGURE)
def mappings_disable_leavers(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    disable_leavers(actor=request.user.email, tenant=tenant)
    messages.success(request, _("Whoever leaves is disabled in AWS, once this is published."))
    return redirect_to(request, MappingPage(request, tenant, "user").url("mappings"))


@page(act=Right.CONFIGURE)
def mappings_actions(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    """What may be done in AWS, and what a guest's userPrincipalName is taken for."""
    here = MappingPage(request, tenant, object_type)
    form = here.actions_form(request.POST)
    if not form.is_valid():
        return render_page(request, "mappings/list.html", table_context(here) | {"actions": form}, status=422)
    set_settings(actor=request.user.email, tenant=tenant, **form.cleaned_data)
    messages.success(request, _("Saved what may be done in AWS."))
    return redirect_to(request, here.url("mappings"))


@page(act=Right.CONFIGURE)
def mappings_actions_undo(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    for name in SETTINGS[object_type]:
        versions.undo_change(tenant=tenant, actor=request.user.email, key=setting_key(name))
    messages.success(request, _("What may be done in AWS is as published again."))
    return redirect_to(request, MappingPage(request, tenant, object_type).url("mappings"))


@page(act=Right.READ)
def mappings_cast(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Pin or unpin a person; "again": those that we propose. Kept in the session, so any reader may."""
    if person := request.POST.get("pin"):
        try:
            examples.pin(request, tenant, person)
        except examples.CannotPin as error:
            messages.warning(request, str(error))
    elif person := request.POST.get("unpin"):
        examples.unpin(request, tenant, person)
    else:
        examples.propose_again(request, tenant)
    return redirect_to(request, MappingPage(request, tenant, "user").url("mappings"))


@page(act=Right.CONFIGURE)
def mapping_default(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    """The remedy of a problem in one press: its mapping gives a default, in the draft."""
    facts = {name: request.POST.get(name, "") for name in ("target", "code", "attribute")}
    back = MappingPage(request, tenant, object_type).url("mappings")
    try:
        mapped = service.map_default(actor=request.user.email, tenant=tenant, object_type=object_type, **facts)
    except Refused as refused:
        messages.error(request, " ".join(problem_sentence(problem) for problem in refused.problems))
        return redirect_to(request, back)
    if mapped:
        words = _("%(field)s has a default now. It counts once the draft is published.")
        messages.success(request, words % {"field": short_path(facts["target"])})
    else:
        messages.warning(request, _("No default is known for this mapping as it is. Open it and try an expression."))
    return redirect_to(request, back)
