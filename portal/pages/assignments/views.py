"""Assignments: which groups and people are to be in AWS."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access.pages import page
from portal.access.quota import PASTE, take
from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from portal.frame import picker
from portal.frame.around import TenantFrame
from portal.frame.paging import Pager, query_with
from portal.frame.picker import PickForm
from portal.frame.render import redirect_to, render_page, render_question, wants_partial
from portal.pages.assignments import tables as assigned
from portal.pages.assignments.forms import PasteForm, TickedForm
from sync.configuration import versions
from sync.configuration.assignments import assign_objects, set_nested, set_send_group, unassign_objects
from sync.configuration.drafts import draft_or_current
from sync.configuration.items import setting_key
from sync.directory import live, pasted
from sync.directory.live import Found
from sync.models import Assignment, Tenant
from sync.preview.queries import assignment_effects
from sync.preview.queries.assignment_effects import AssignmentEffects, Key

# By table: the name of its page's number in the address, and what it is called.
PAGES = {"groups": "page", "people": "people", "mirrored": "app"}
TABLE_NAMES = {
    "groups": gettext_lazy("groups"),
    "people": gettext_lazy("people"),
    "mirrored": gettext_lazy("the enterprise application"),
}
FLAGS = {"0": False, "1": True}
MESSAGES = {
    ("nested", True): gettext_lazy("%(name)s now includes nested groups."),
    ("nested", False): gettext_lazy("%(name)s now brings its direct members only."),
    ("send_group", True): gettext_lazy("%(name)s itself is sent to AWS too."),
    ("send_group", False): gettext_lazy("%(name)s only brings its people: the group itself is not sent."),
}


@page(read=Right.READ)
def assignments(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    return render_page(request, "assignments/list.html", list_context(request, tenant), partial="assigned")


def list_context(request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
    text = request.GET.get("q", "")
    pages = {table: request.GET.get(name, "") for table, name in PAGES.items()}
    wait = bool(request.GET.get("counts"))
    configurations = TenantFrame.of(request, tenant).configurations
    tables, configuration = assigned.tables(configurations, text, pages, wait=wait), configurations.shown
    return {
        "tenant": tenant,
        "tables": tables,
        "text": text,
        "query": query_with(request).removeprefix("?"),
        "pagers": {
            table: Pager.of(request, getattr(tables, table), name, TABLE_NAMES[table]) for table, name in PAGES.items()
        },
        "configuration": configuration,
        "application": live.known_application(tenant, configuration.mirrored_app),
        "may_edit": can(request.user, tenant, Right.CONFIGURE),
    }


@page(read=Right.CONFIGURE, act=Right.CONFIGURE, edits_draft=True)
def assign(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """One form: everything but *Assign* (`do`) searches again and carries the chosen ones along."""
    form = PickForm(request.POST or request.GET)
    form.is_valid()
    wanted = request.POST.get("do") == "assign"
    picked = picker.pick(tenant, form, search=not wanted or not form.references)
    if wanted and picked.chosen and not picked.unreadable:
        return _assign(request, tenant, picked.chosen)
    if wanted and not picked.unreadable:
        form.add_error(None, _("Tick at least one group or person."))
    context = {
        "tenant": tenant,
        "form": form,
        "assigned": assigned_references(tenant),
        "published": is_published(tenant),
        **counts_of(tenant, picked.found),
        **picked.context(),
    }
    return render_page(request, "assignments/assign.html", context, partial="picker", status=422 if wanted else 200)


def counts_of(tenant: Tenant, found: Sequence[Found]) -> dict[str, Any]:
    """Direct members by Entra id, and when they were counted: as the mirror has them, so that no search asks more of Graph."""
    snapshot = assigned.last_snapshot(tenant) if any(one.object_type == "group" for one in found) else None
    if snapshot is None:
        return {}
    groups = [one.object_id for one in found if one.object_type == "group"]
    return {"member_counts": assignment_effects.known_counts(tenant, groups), "counted_at": snapshot.sealed_at}


def _assign(request: HttpRequest, tenant: Tenant, chosen: Sequence[Found]) -> HttpResponse:
    rows = assign_objects(actor=request.user.email, tenant=tenant, chosen=chosen)
    text = ngettext("%(n)s assigned: %(names)s.", "%(n)s assigned: %(names)s.", len(rows))
    message = text % {"n": len(rows), "names": names_of(rows)} if rows else _("They were assigned already.")
    messages.success(request, message)
    return redirect_to(request, "assignments", tenant.slug)


def names_of(rows: Sequence[object]) -> str:
    return ", ".join(str(row) for row in rows[:3]) + (" …" if len(rows) > 3 else "")


@page(read=Right.CONFIGURE, act=Right.CONFIGURE, edits_draft=True)
def assign_pasted(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The text is looked up anew with every press: what is assigned is what its lines mean now."""
    form = PasteForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"tenant": tenant, "form": form}
    if request.method == "POST" and form.is_valid():
        take(request, PASTE)
        lines = _resolve(tenant, form)
        chosen = _meant(lines, form.cleaned_data["picked"])
        if request.POST.get("do") == "assign" and chosen:
            return _assign(request, tenant, chosen)
        context |= _checked(tenant, lines, chosen) | {"picked": set(form.cleaned_data["picked"])}
    return render_page(
        request, "assignments/paste.html", context, partial="checked", status=422 if form.errors else 200
    )


def _resolve(tenant: Tenant, form: PasteForm) -> list[pasted.PastedLine]:
    """Empty with an error on the form when it cannot be."""
    try:
        return pasted.resolve(tenant, pasted.lines_of(form.cleaned_data["pasted"]))
    except pasted.TooManyLines as error:
        text = _("These are %(n)s lines. Paste up to %(most)s at once.")
        form.add_error("pasted", text % {"n": error.lines, "most": pasted.MOST_LINES})
    except live.UNREADABLE as error:
        wait = live.seconds_to_wait(error)
        slow = _("Microsoft is slowing us down. Try again in %(n)s s.") % {"n": wait}
        other = _("Cannot read the directory right now. Check the connection to Entra, or try again in a minute.")
        form.add_error("pasted", slow if wait else other)
    return []


def _meant(lines: Sequence[pasted.PastedLine], picked: Sequence[str]) -> list[Found]:
    """The objects that lines name without doubt, and those that somebody picked among several."""
    found = [one for line in lines for one in line.found if len(line.found) == 1 or one.reference in picked]
    return list({one.reference: one for one in found}.values())


def _checked(tenant: Tenant, lines: Sequence[pasted.PastedLine], chosen: Sequence[Found]) -> dict[str, Any]:
    by_state: dict[str, list[pasted.PastedLine]] = {"unknown": [], "ambiguous": [], "found": []}
    for line in lines:
        by_state[line.state].append(line)
    have = assigned_references(tenant)
    new = [one for one in chosen if one.reference not in have]
    return {"lines": by_state, "checked": bool(lines), "assigned": have, "new": len(new)}


@page(act=Right.CONFIGURE, edits_draft=True)
def assignment_change(request: HttpRequest, tenant: Tenant, kind: str, object_id: str) -> HttpResponse:
    """`nested` or `send_group` of an assigned group, as 1 or 0."""
    row = assignment_of(tenant, kind, object_id)
    if row.mirrored:
        return _after(
            request, tenant, _("The enterprise application decides about it. Assign it here to say otherwise.")
        )
    actor, message = request.user.email, ""
    if (value := request.POST.get("nested")) in FLAGS:
        set_nested(actor=actor, tenant=tenant, assignment=row, nested=FLAGS[value])
        message = MESSAGES["nested", FLAGS[value]] % {"name": row}
    if (value := request.POST.get("send_group")) in FLAGS:
        set_send_group(actor=actor, tenant=tenant, assignment=row, send_group=FLAGS[value])
        message = MESSAGES["send_group", FLAGS[value]] % {"name": row}
    return _after(request, tenant, message)


@page(act=Right.CONFIGURE, edits_draft=True)
def assignment_undo(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Puts one assignment (or the enterprise application) back to what is published."""
    key = request.POST.get("key", "")
    if key.startswith("assignment:") or key == setting_key("mirrored_app"):
        versions.undo_change(tenant=tenant, actor=request.user.email, key=key)
    return _after(request, tenant, _("It is as published again."))


def _after(request: HttpRequest, tenant: Tenant, message: str) -> HttpResponse:
    """The tables again for htmx; else back to the page with the button."""
    if wants_partial(request):
        context = list_context(request, tenant) | {"said": message}
        return render_page(request, "assignments/list.html", context, partial="assigned")
    if message:
        messages.success(request, message)
    if (group := request.POST.get("back", "")) and live.is_guid(group):
        return redirect_to(request, "group", tenant.slug, group)
    return redirect_to(request, "assignments", tenant.slug)


@page(read=Right.CONFIGURE, act=Right.CONFIGURE, edits_draft=True)
def unassign(request: HttpRequest, tenant: Tenant, kind: str, object_id: str) -> HttpResponse:
    return _unassign(request, tenant, [assignment_of(tenant, kind, object_id)])


@page(act=Right.CONFIGURE, edits_draft=True)
def unassign_ticked(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = TickedForm(request.POST)
    form.is_valid()
    wanted = set(form.keys)
    rows = [row for row in draft_or_current(tenant).assignments.filter(mirrored=False) if key_of(row) in wanted]
    if not rows:
        messages.error(request, _("Tick at least one row."))
        return redirect_to(request, "assignments", tenant.slug)
    return _unassign(request, tenant, rows)


def _unassign(request: HttpRequest, tenant: Tenant, rows: Sequence[Assignment]) -> HttpResponse:
    """Shows who leaves, page by page; `confirmed` does it."""
    keys = [key_of(row) for row in rows]
    if request.method == "POST" and request.POST.get("confirmed"):
        gone = unassign_objects(actor=request.user.email, tenant=tenant, keys=keys)
        text = ngettext("%(names)s is no longer assigned.", "%(n)s are no longer assigned: %(names)s.", len(gone))
        messages.success(request, text % {"n": len(gone), "names": names_of(gone)})
        return redirect_to(request, "assignments", tenant.slug)
    configuration, snapshot = draft_or_current(tenant), assigned.last_snapshot(tenant)
    number = request.POST.get("page", "") or request.GET.get("page", "")
    facts = {"name": rows[0], "n": len(rows)}
    question = (_("Unassign %(name)s?") if len(rows) == 1 else _("Unassign %(n)s?")) % facts
    context = {
        "tenant": tenant,
        "rows": rows,
        "groups": any(row.object_type == "group" for row in rows),
        "leaving": assigned.leaving(
            AssignmentEffects(configuration), keys, number, size=10 if wants_partial(request) else assigned.PAGE
        ),
        "published": is_published(tenant),
        "read_at": snapshot.sealed_at if snapshot else None,
    }
    return render_question(request, "assignments/unassign.html", question, context)


def assignment_of(tenant: Tenant, kind: str, object_id: str) -> Assignment:
    """As the draft has it: a row's number changes when the draft is made. Raises Http404, PermissionDenied."""
    row = draft_or_current(tenant).assignments.filter(object_type=kind, object_id=object_id).first()
    if row is None:
        raise Http404(_("This is not assigned."))
    if row.mirrored:
        raise PermissionDenied(_("This comes from the enterprise application. Change it in Entra."))
    return row


def is_published(tenant: Tenant) -> bool:
    """Whether runs use a version already: edits then wait in the draft."""
    return tenant.configurations.published().exists()


def key_of(row: Assignment) -> Key:
    return row.object_type, row.object_id


def assigned_references(tenant: Tenant) -> set[str]:
    rows = draft_or_current(tenant).assignments.values_list("object_type", "object_id")
    return {f"{object_type}:{object_id}" for object_type, object_id in rows}
