"""Assignments: which groups and people are to be in AWS."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from portal.access import can, signed_in, tenant_for
from portal.forms.assignments import AssignForm
from portal.http import HttpRequest
from portal.render import redirect_to, render_page
from portal.roles import Right
from sync import directory
from sync.models import Assignment, DirectoryGroup, DirectoryUser, Link, Snapshot, Tenant
from sync.services import configurations
from sync.services.drafts import shown


@dataclass(slots=True)
class Line:
    """One row of a table. `members` is None while nobody knows; `state` is a word of the list of states."""

    row: Assignment
    name: str
    detail: str
    state: str
    members: int | None = None
    gone: bool = False

    @property
    def unknown(self) -> bool:
        return self.members is None and not self.gone


@signed_in
@require_GET
def assignments(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.READ)
    rows = list(shown(tenant).assignments.all())
    groups = group_lines(tenant, [row for row in rows if row.object_type == "group"])
    if request.GET.get("counts"):
        add_live_counts(tenant, groups)
    context = {
        "tenant": tenant,
        "groups": groups,
        "people": person_lines(tenant, [row for row in rows if row.object_type == "user"]),
        "read_at": last_read(tenant),
        "counting": not request.GET.get("counts") and any(line.unknown for line in groups),
        "may_edit": can(request.user, tenant, Right.CONFIGURE),
    }
    return render_page(request, "assignments/list.html", context, partial="groups")


@signed_in
@require_http_methods(["GET", "POST"])
def assign(request: HttpRequest, slug: str) -> HttpResponse:
    """One form: its search is a GET that carries the chosen ones along, *Assign* is a POST."""
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    form = AssignForm(request.POST or request.GET)
    context: dict[str, Any] = {"tenant": tenant, "form": form, "unreadable": False, "found": [], "chosen": []}
    form.is_valid()
    try:
        context["chosen"] = directory.named(tenant, form.references)
        if request.method == "GET" or not context["chosen"]:
            context["found"] = directory.search(tenant, form.text)
    except directory.UNREADABLE:
        context["unreadable"] = True
    if request.method == "POST" and not context["unreadable"] and context["chosen"]:
        return _assign(request, tenant, context["chosen"])
    refused = request.method == "POST"
    if refused and not context["unreadable"]:
        form.add_error(None, _("Tick at least one group or person."))
    context |= picked(tenant, context["found"], context["chosen"])
    status = 422 if refused else 200
    return render_page(request, "assignments/assign.html", context, partial="picker", status=status)


def picked(tenant: Tenant, found: list[directory.Found], chosen: list[directory.Found]) -> dict[str, Any]:
    """What the page must mark. `carried` are chosen ones that the results do not show: no tick gets lost."""
    shown = {one.reference for one in found}
    return {
        "assigned": assigned_references(tenant),
        "ticked": {one.reference for one in chosen},
        "carried": [one for one in chosen if one.reference not in shown],
        "found_groups": sum(one.object_type == "group" for one in found),
        "found_people": sum(one.object_type == "user" for one in found),
    }


def _assign(request: HttpRequest, tenant: Tenant, chosen: list[directory.Found]) -> HttpResponse:
    rows = configurations.assign(actor=request.user.email, tenant=tenant, chosen=chosen)
    text = ngettext("%(n)s assigned: %(names)s.", "%(n)s assigned: %(names)s.", len(rows))
    names = ", ".join(str(row) for row in rows[:3]) + (" …" if len(rows) > 3 else "")
    said = text % {"n": len(rows), "names": names} if rows else _("They were assigned already.")
    messages.success(request, said)
    return redirect_to(request, "assignments", tenant.slug)


@signed_in
@require_http_methods(["GET", "POST"])
def assignment_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    assignment = get_object_or_404(shown(tenant).assignments, pk=pk)
    if request.method == "POST":
        configurations.unassign(actor=request.user.email, tenant=tenant, assignment=assignment)
        messages.success(request, _("%(name)s is no longer assigned.") % {"name": assignment})
        return redirect_to(request, "assignments", tenant.slug)
    context = {
        "tenant": tenant,
        "assignment": assignment,
        "leaving": configurations.who_leaves(tenant, assignment),
        "read_at": last_read(tenant),
    }
    return render_page(request, "assignments/remove.html", context, partial="ask")


def group_lines(tenant: Tenant, rows: list[Assignment]) -> list[Line]:
    ids = [row.object_id for row in rows]
    known = DirectoryGroup.objects.filter(tenant=tenant, object_id__in=ids)
    mirrored = {group.object_id: group for group in known}
    counts = directory.mirrored_member_counts(tenant, ids)
    links = links_of(tenant, "group", ids)
    lines = []
    for row in rows:
        group = mirrored.get(row.object_id)
        lines.append(
            Line(
                row=row,
                name=(group.display_name if group else "") or str(row),
                detail=str(directory.KINDS.get(row.detail, _("Group"))),
                state=state_in_aws(links.get(row.object_id)),
                members=counts.get(row.object_id),
                gone=bool(group and group.deleted),
            )
        )
    return sorted(lines, key=lambda line: line.name.casefold())


def person_lines(tenant: Tenant, rows: list[Assignment]) -> list[Line]:
    ids = [row.object_id for row in rows]
    known = DirectoryUser.objects.filter(tenant=tenant, object_id__in=ids)
    mirrored = {user.object_id: user for user in known}
    links = links_of(tenant, "user", ids)
    lines = []
    for row in rows:
        user = mirrored.get(row.object_id)
        lines.append(
            Line(
                row=row,
                name=(user.display_name if user else "") or str(row),
                detail=(user.user_principal_name if user else "") or row.detail,
                state=state_in_aws(links.get(row.object_id)),
                gone=bool(user and user.deleted),
            )
        )
    return sorted(lines, key=lambda line: line.name.casefold())


def links_of(tenant: Tenant, object_type: str, ids: list[str]) -> dict[str, Link]:
    links = Link.objects.filter(tenant=tenant, object_type=object_type, object_id__in=ids)
    return {link.object_id: link for link in links}


def state_in_aws(link: Link | None) -> str:
    """A word of the list of states, from the link alone: it is the record of what AWS took."""
    if link is not None and link.failure_code:
        return "will_retry" if link.retry_at else "failed"
    if link is None or not link.scim_id:
        return "waiting"
    return "in_aws" if link.active else "disabled"


def add_live_counts(tenant: Tenant, lines: list[Line]) -> None:
    """Groups that no run has read yet are counted in Entra now; when that fails they stay unknown."""
    try:
        for line in lines:
            if line.unknown:
                line.members = directory.live_member_count(tenant, line.row.object_id)
    except directory.UNREADABLE:
        return


def assigned_references(tenant: Tenant) -> set[str]:
    rows = shown(tenant).assignments.values_list("object_type", "object_id")
    return {f"{object_type}:{object_id}" for object_type, object_id in rows}


def last_read(tenant: Tenant) -> Any:
    sealed = Snapshot.objects.filter(tenant=tenant, sealed_at__isnull=False)
    return sealed.order_by("-pk").values_list("sealed_at", flat=True).first()
