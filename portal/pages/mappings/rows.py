"""One row of the mappings: edited, added, removed, moved; tried without being saved; what somebody else made of it."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest, whole_number
from portal.access.roles import Right
from portal.frame.render import redirect_to, render_page
from portal.pages.mappings import examples, table
from portal.pages.mappings.forms import MappingForm, form_values
from portal.pages.mappings.page import (
    MappingPage,
    attribute_lines,
    every_source,
    everyone,
    gets_of,
    table_context,
    tried,
)
from portal.words.aws_fields import field_label, short_path
from sync.configuration import mappings as service
from sync.configuration import versions
from sync.configuration.editing import EditConflict, Refused, problem_sentence, revision
from sync.configuration.items import MAPPING_FIELDS, facts_of, mapping_key
from sync.directory import attributes as source_attributes
from sync.models import AttributeMapping, Configuration, Tenant
from sync.rules import aws_fields
from sync.rules.leavers import TARGET as LEAVERS_FIELD
from sync.rules.rows import MappingProblem, MappingRow, ObjectType

# Fields of a form that are not entries of the admin.
ENVELOPE = ("csrfmiddlewaretoken", "seen", "draft", "preview")
COMPARED = ("kind", "source", "default", "default_on_update", "apply", "when_empty", "matching")


@page(read=Right.CONFIGURE, act=Right.CONFIGURE)
def mapping_edit(request: HttpRequest, tenant: Tenant, object_type: ObjectType, target: str) -> HttpResponse:
    here = MappingPage(request, tenant, object_type)
    row = here.row(target)
    if row is None and not request.POST.get("seen"):
        raise Http404
    if "close" in request.GET and row is not None:
        context = table_context(here, focus_on=row.target)
        line = next(line for line in context["lines"] if line.row.target == row.target)
        return render_page(request, "mappings/list.html", context | {"line": line}, partial="line")
    return _edit(here, row, target)


@page(read=Right.CONFIGURE, act=Right.CONFIGURE)
def mapping_add(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    return _edit(MappingPage(request, tenant, object_type), None, "")


def _edit(here: MappingPage, row: AttributeMapping | None, target: str) -> HttpResponse:
    """`target` without a row: somebody else removed the row while the form was open."""
    form = _form_for(here, row, target)
    if here.request.method != "POST":
        return _form_page(here, row, form)
    return _try(here, row, form) if "preview" in here.request.POST else _save(here, row, form)


def _form_for(here: MappingPage, row: AttributeMapping | None, target: str) -> MappingForm:
    initial: dict[str, object] = {"target": here.request.GET.get("target"), "kind": "direct", "apply": "always"}
    if row is not None or target:
        choices = [(target, target)]
        initial = form_values(row.rule()) if row else initial
    else:
        free = table.unmapped(here.rows, here.object_type)
        choices = [(one["target"], f"{one['short']} · {one['label']}") for one in free]
        posted = here.request.POST.get("target", "")
        # Somebody else may have mapped it meanwhile: the service says so.
        if aws_fields.is_target(posted, here.object_type) and posted not in dict(choices):
            choices.append((posted, short_path(posted)))
    key = table.slug(target) if target else "new"
    data = here.request.POST or None
    return MappingForm(data, key=key, targets=choices, object_type=here.object_type, initial=initial)


def _form_page(here: MappingPage, row: AttributeMapping | None, form: MappingForm, status: int = 200) -> HttpResponse:
    context = _form_context(here, row, form)
    return render_page(here.request, "mappings/edit.html", context, partial="row", status=status)


def _form_context(here: MappingPage, row: AttributeMapping | None, form: MappingForm) -> dict[str, Any]:
    target = row.target if row else ""
    attributes = source_attributes.of(here.tenant, here.object_type)
    rules = [MappingRow("", "direct", one.name) for one in attributes.known]
    example = here.example([*every_source(here.object_type), *rules])
    return {
        "tenant": here.tenant,
        "object_type": here.object_type,
        "row": row,
        "key": table.slug(target) if row else "new",
        "form": form,
        "page_name": _("Edit %(field)s") % {"field": short_path(target)} if row else _("Add mapping"),
        "target_short": short_path(target),
        "target_label": field_label(target),
        "required": target in aws_fields.required_targets(here.object_type),
        "attributes": attribute_lines(attributes.known, example),
        "attributes_note": attributes.note,
        "example": example,
        "seen": revision(row),
        "action": here.request.get_full_path(),
        "remove": here.url("mapping_remove", target) if row else "",
        "back": here.url("mappings"),
        "person_chosen": bool(examples.person_of(here.request)),
    }


def _try(here: MappingPage, row: AttributeMapping | None, form: MappingForm) -> HttpResponse:
    """What the rule of the form would give; while it is wrong, only the reason goes out and the last result stays."""
    result = tried(here, form)
    if not here.request.htmx:
        return render_page(here.request, "mappings/edit.html", _form_context(here, row, form) | result)
    key = table.slug(row.target) if row else "new"
    partial, context = "wrong" if result["wrong"] else "preview", {"tenant": here.tenant, "key": key} | result
    response = render_page(here.request, "mappings/edit.html", context, partial=partial, edited=False)
    if result["wrong"]:
        response["HX-Retarget"] = f"#wrong-{key}"
    return response


def _save(here: MappingPage, row: AttributeMapping | None, form: MappingForm) -> HttpResponse:
    if form.is_valid():
        try:
            return _saved(here, row, form.rule())
        except Refused as error:
            form.refuse((problem.field, problem_sentence(problem)) for problem in error.problems)
        except EditConflict:
            return _conflict(MappingPage(here.request, here.tenant, here.object_type), form.rule())
    return _form_page(here, row, form, status=422)


def _saved(here: MappingPage, row: AttributeMapping | None, rule: MappingRow) -> HttpResponse:
    """Raises Refused, EditConflict."""
    seen = here.request.POST.get("seen")
    if seen and row is None:
        raise EditConflict(row)
    found = gets_of(here, rule, everyone(here, [rule]))
    problems = table.sample_problems(found, rule)
    # An edit of something else is not held up by what the row gave before.
    if problems and (row is None or (row.kind, row.source, row.default) != (rule.kind, rule.source, rule.default)):
        raise Refused(problems)
    saved = service.save_mapping(
        actor=here.request.user.email,
        tenant=here.tenant,
        object_type=here.object_type,
        rule=rule,
        row=row,
        seen=seen or None,
    )
    message = _("Saved %(field)s.") % {"field": short_path(saved.target)}
    return _after_edit(here, saved.target, message, *table.doubts(found))


# --- Somebody else was faster ---


def _conflict(here: MappingPage, mine: MappingRow) -> HttpResponse:
    """Both side by side; *Keep mine* sends it again, on top of what is there now."""
    now = here.row(mine.target)
    close = f"{'&' if examples.person_of(here.request) else '?'}close=1"
    context = {
        "tenant": here.tenant,
        "object_type": here.object_type,
        "page_name": _("%(field)s changed meanwhile") % {"field": short_path(mine.target)},
        "target_short": short_path(mine.target),
        "pairs": _compared(mine, now),
        "gone": now is None,
        "published": _published_meanwhile(here),
        "entries": [(name, value) for name, value in here.request.POST.items() if name not in ENVELOPE],
        "seen": revision(now),
        "action": here.url("mapping", mine.target) if now else here.url("mapping_add"),
        "take": here.url("mapping", mine.target) + close,
        "back": here.url("mappings"),
    }
    return render_page(here.request, "mappings/conflict.html", context, partial="row", status=409)


def _published_meanwhile(here: MappingPage) -> Configuration | None:
    """The draft that the form was opened on, when it is a version by now."""
    seen = whole_number(here.request.POST.get("draft", ""))
    return None if seen is None else here.tenant.configurations.published().filter(pk=seen).first()


def _compared(mine: MappingRow, now: AttributeMapping | None) -> list[dict[str, Any]]:
    rows = [AttributeMapping(**facts_of(mine, MAPPING_FIELDS)), now]
    pairs = []
    for name in COMPARED:
        yours, theirs = (table.fact_in_words(row, name) if row else "" for row in rows)
        label = str(AttributeMapping._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        pairs.append({"name": label, "yours": yours, "now": theirs, "differs": yours != theirs})
    return pairs


# --- Removed, undone, moved ---


@page(read=Right.CONFIGURE, act=Right.CONFIGURE)
def mapping_remove(request: HttpRequest, tenant: Tenant, object_type: ObjectType, target: str) -> HttpResponse:
    here = MappingPage(request, tenant, object_type)
    row = here.row(target)
    if row is None:
        raise Http404
    if request.method == "POST":
        return _remove(here, row)
    context = {
        "tenant": tenant,
        "page_name": _("Remove %(field)s?") % {"field": short_path(target)},
        "consequence": _consequence_of_removing(here, target),
        "action": request.get_full_path(),
        "edit": here.url("mapping", target),
        "back": here.url("mappings"),
    }
    return render_page(request, "mappings/remove.html", context, partial="ask")


def _consequence_of_removing(here: MappingPage, target: str) -> str:
    consequence = _(
        "The field is no longer written. What we wrote to it is taken away by the first run that uses this."
    )
    if not here.of_people or target != LEAVERS_FIELD:
        return consequence
    return f"{consequence} {problem_sentence(MappingProblem('leavers-stay'))}"


def _remove(here: MappingPage, row: AttributeMapping) -> HttpResponse:
    try:
        service.remove_mapping(actor=here.request.user.email, tenant=here.tenant, row=row)
    except Refused as error:
        messages.error(here.request, " ".join(problem_sentence(problem) for problem in error.problems))
        return redirect_to(here.request, here.url("mappings"))
    return _after_edit(here, row.target, _("Removed %(field)s.") % {"field": short_path(row.target)})


def _after_edit(here: MappingPage, target: str, *sentences: str) -> HttpResponse:
    """The table as it is now; who would stay active in AWS is said beside what was done."""
    now = replace(here)
    return now.to_table(" ".join([*sentences, *now.about_leavers(target)]), target)


@page(act=Right.CONFIGURE)
def mapping_undo(request: HttpRequest, tenant: Tenant, object_type: ObjectType, target: str) -> HttpResponse:
    """The row as the published version has it."""
    versions.undo_change(tenant=tenant, actor=request.user.email, key=mapping_key(object_type, target))
    message = _("%(field)s is as published again.") % {"field": short_path(target)}
    return _after_edit(MappingPage(request, tenant, object_type), target, message)


@page(act=Right.CONFIGURE)
def mapping_move(request: HttpRequest, tenant: Tenant, object_type: ObjectType, target: str) -> HttpResponse:
    """One place earlier or later in the matching order; the button keeps the focus by its id."""
    service.move_matching(
        actor=request.user.email,
        tenant=tenant,
        object_type=object_type,
        target=target,
        up=request.POST.get("direction") == "up",
    )
    here = MappingPage(request, tenant, object_type)
    row = here.row(target)
    facts = {"field": short_path(target), "number": row.matching if row else ""}
    return here.to_table(_("%(field)s is match %(number)s.") % facts)
