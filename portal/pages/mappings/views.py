"""Mappings: which Entra value lands in which AWS field, and what a real person gets."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest, whole_number
from portal.access.rights import can
from portal.access.roles import Right, lowest_role_with
from portal.frame.render import redirect_to, render_page
from portal.pages.mappings import examples
from portal.pages.mappings import table as mapping_table
from portal.pages.mappings.examples import Example
from portal.pages.mappings.forms import GroupActionsForm, MappingForm, PeopleActionsForm, values_of
from portal.pages.mappings.table import Gets
from portal.words.aws_fields import field_label, short_path
from sync.configuration import drafts, versions
from sync.configuration import mappings as configurations
from sync.configuration.drafts import draft_or_current
from sync.configuration.editing import EditConflict, Refused, problem_sentence, revision
from sync.configuration.items import MAPPING_FIELDS, facts_of, mapping_key, setting_key
from sync.configuration.settings import set_settings
from sync.directory import attributes as source_attributes
from sync.directory import live
from sync.models import AttributeMapping, Configuration, DirectoryUser, Tenant
from sync.preview.queries import filter_effects
from sync.rules import aws_fields, entra_attributes, mapping, mapping_checks
from sync.rules.rows import MappingRow, ObjectType, graph_select


@page(read=Right.READ)
def mappings(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    context = table(request, tenant, object_type) | found_people(request, tenant, object_type)
    return render_page(request, "mappings/list.html", context, partial="people")


@page(read=Right.CONFIGURE, act=Right.CONFIGURE)
def mapping_edit(request: HttpRequest, tenant: Tenant, object_type: ObjectType, target: str) -> HttpResponse:
    row = row_of(tenant, object_type, target)
    if row is None and not request.POST.get("seen"):
        raise Http404
    if "close" in request.GET and row is not None:
        return render_page(request, "mappings/list.html", one_line(request, tenant, object_type, row), partial="line")
    return edit(request, tenant, object_type, row, target)


@page(read=Right.CONFIGURE, act=Right.CONFIGURE)
def mapping_add(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    return edit(request, tenant, object_type, None, "")


def edit(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, row: AttributeMapping | None, target: str
) -> HttpResponse:
    """Show the form, preview what it gives, or save it: a preview changes nothing."""
    form = form_for(request, tenant, object_type, row, target)
    if "preview" in request.POST:
        return preview(request, tenant, object_type, row, form)
    if request.method == "POST" and form.is_valid():
        try:
            return save(request, tenant, object_type, row, form)
        except Refused as error:
            form.refuse((problem.field, problem_sentence(problem)) for problem in error.problems)
        except EditConflict:
            return conflict_panel(request, tenant, object_type, form, row_of(tenant, object_type, form.rule().target))
    context = edit_context(request, tenant, object_type, row, form)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "mappings/edit.html", context, partial="row", status=status)


def save(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, row: AttributeMapping | None, form: MappingForm
) -> HttpResponse:
    """Raises Refused, Conflict."""
    rule, seen = form.rule(), request.POST.get("seen")
    if seen and row is None:
        raise EditConflict(row)
    found = gets_of(tenant, object_type, rule, everyone(request, tenant, object_type, [rule]))
    problems = mapping_table.sample_problems(found, rule)
    # An edit of something else is not held up by what the row gave before.
    if problems and (row is None or (row.kind, row.source, row.default) != (rule.kind, rule.source, rule.default)):
        raise Refused(problems)
    saved = configurations.save_mapping(
        actor=request.user.email,
        tenant=tenant,
        object_type=object_type,
        rule=rule,
        row=row,
        seen=seen or None,
    )
    said = " ".join([_("Saved %(field)s.") % {"field": short_path(saved.target)}, *mapping_table.doubts(found)])
    return back_to_table(request, tenant, object_type, said, saved.target)


def conflict_panel(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, form: MappingForm, now: AttributeMapping | None
) -> HttpResponse:
    """Both side by side; keeping mine sends it again, on top of what is there now."""
    mine = form.rule()
    mine_url = reverse("mapping", args=[tenant.slug, object_type, mine.target])
    keep_url = mine_url if now else reverse("mapping_add", args=[tenant.slug, object_type])
    context = {
        "tenant": tenant,
        "object_type": object_type,
        "page_name": _("%(field)s changed meanwhile") % {"field": short_path(mine.target)},
        "target_short": short_path(mine.target),
        "pairs": compared(mine, now),
        "gone": now is None,
        "published": published_meanwhile(request, tenant),
        "entries": [(name, value) for name, value in request.POST.items() if name not in ENVELOPE],
        "seen": revision(now),
        "action": with_person(request, keep_url),
        "take": f"{with_person(request, mine_url)}{'&' if examples.person_of(request) else '?'}close=1",
        "back": list_url(tenant, object_type, request),
    }
    return render_page(request, "mappings/conflict.html", context, partial="row", status=409)


# Fields of a form that are not entries of the admin.
ENVELOPE = ("csrfmiddlewaretoken", "seen", "draft", "preview")


def published_meanwhile(request: HttpRequest, tenant: Tenant) -> Configuration | None:
    """The draft that the form was opened on, when it is a version by now."""
    seen = whole_number(request.POST.get("draft", ""))
    return None if seen is None else tenant.configurations.published().filter(pk=seen).first()


def compared(mine: MappingRow, now: AttributeMapping | None) -> list[dict[str, Any]]:
    rows = [AttributeMapping(**facts_of(mine, MAPPING_FIELDS)), now]
    pairs = []
    for name in ("kind", "source", "default", "default_on_update", "apply", "when_empty", "matching"):
        yours, theirs = (mapping_table.word(row, name) if row else "" for row in rows)
        label = str(AttributeMapping._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        pairs.append({"name": label, "yours": yours, "now": theirs, "differs": yours != theirs})
    return pairs


@page(read=Right.CONFIGURE, act=Right.CONFIGURE)
def mapping_remove(request: HttpRequest, tenant: Tenant, object_type: ObjectType, target: str) -> HttpResponse:
    row = row_of(tenant, object_type, target)
    if row is None:
        raise Http404
    if request.method == "POST":
        try:
            configurations.remove_mapping(actor=request.user.email, tenant=tenant, row=row)
        except Refused as error:
            messages.error(request, " ".join(problem_sentence(problem) for problem in error.problems))
            return redirect_to(request, list_url(tenant, object_type, request))
        return back_to_table(
            request, tenant, object_type, _("Removed %(field)s.") % {"field": short_path(target)}, target
        )
    context = {
        "tenant": tenant,
        "page_name": _("Remove %(field)s?") % {"field": short_path(target)},
        "consequence": _(
            "The field is no longer written. What we wrote to it is taken away by the first run that uses this."
        ),
        "action": request.get_full_path(),
        "edit": with_person(request, reverse("mapping", args=[tenant.slug, object_type, target])),
        "back": list_url(tenant, object_type, request),
    }
    return render_page(request, "mappings/remove.html", context, partial="ask")


@page(act=Right.CONFIGURE)
def mapping_undo(request: HttpRequest, tenant: Tenant, object_type: ObjectType, target: str) -> HttpResponse:
    """The row as the published version has it."""
    versions.undo_change(tenant=tenant, actor=request.user.email, key=mapping_key(object_type, target))
    said = _("%(field)s is as published again.") % {"field": short_path(target)}
    return back_to_table(request, tenant, object_type, said, target)


@page(act=Right.CONFIGURE)
def mapping_move(request: HttpRequest, tenant: Tenant, object_type: ObjectType, target: str) -> HttpResponse:
    """One place earlier or later in the matching order; the button keeps the focus by its id."""
    configurations.move_matching(
        actor=request.user.email,
        tenant=tenant,
        object_type=object_type,
        target=target,
        up=request.POST.get("direction") == "up",
    )
    row = row_of(tenant, object_type, target)
    said = _("%(field)s is match %(number)s.") % {
        "field": short_path(target),
        "number": row.matching if row else "",
    }
    return back_to_table(request, tenant, object_type, said)


@page(read=Right.CONFIGURE, act=Right.CONFIGURE)
def mappings_reset(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    if request.method == "POST":
        configurations.reset_mappings(actor=request.user.email, tenant=tenant, object_type=object_type)
        messages.success(request, _("The mappings are those of Entra's template again."))
        return redirect_to(request, list_url(tenant, object_type, request))
    context = {
        "tenant": tenant,
        "object_type": object_type,
        "rows": len(configurations.template(object_type)),
        "published": tenant.configurations.published().exists(),
    }
    return render_page(request, "mappings/reset.html", context, partial="ask")


@page(act=Right.CONFIGURE)
def mappings_recommended(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    configurations.apply_recommended(actor=request.user.email, tenant=tenant)
    messages.success(request, _("The mappings are as recommended for AWS."))
    return redirect_to(request, list_url(tenant, "user", request))


@page(act=Right.CONFIGURE)
def mappings_actions(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    """What may be done in AWS, and what a guest's userPrincipalName stands for."""
    form = actions_form(object_type, draft_or_current(tenant), request.POST)
    if not form.is_valid():
        return render_page(
            request, "mappings/list.html", table(request, tenant, object_type) | {"actions": form}, status=422
        )
    set_settings(actor=request.user.email, tenant=tenant, **form.cleaned_data)
    messages.success(request, _("Saved what may be done in AWS."))
    return redirect_to(request, list_url(tenant, object_type, request))


@page(act=Right.CONFIGURE)
def mappings_actions_undo(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> HttpResponse:
    for name in SETTINGS[object_type]:
        versions.undo_change(tenant=tenant, actor=request.user.email, key=setting_key(name))
    messages.success(request, _("What may be done in AWS is as published again."))
    return redirect_to(request, list_url(tenant, object_type, request))


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
    return redirect_to(request, list_url(tenant, "user", request))


# --- What the pages show ---


def table(request: HttpRequest, tenant: Tenant, object_type: ObjectType, focus_on: str = "") -> dict[str, Any]:
    configuration = draft_or_current(tenant)
    changes = drafts.changes(tenant)
    everything = list(configuration.mappings.all())
    rows = [row for row in everything if row.object_type == object_type]
    example = example_of(request, tenant, object_type, [row.rule() for row in rows])
    lines = mapping_table.lines_of(rows, changes, object_type, example, configuration)
    cast = examples.pinned(request, tenant) if object_type == "user" else []
    return {
        "tenant": tenant,
        "object_type": object_type,
        "plural_name": _("People") if object_type == "user" else _("Groups"),
        "configuration": configuration,
        # Until the first version the draft is what runs use.
        "published": configuration.number is not None or configuration.based_on_id is not None,
        "counts": {kind: sum(row.object_type == kind for row in everything) for kind in ("user", "group")},
        "lines": lines,
        "moves": sum(bool(line.row.matching) for line in lines) > 1,
        "unmapped": mapping_table.unmapped(rows, object_type),
        "recommended": mapping_table.recommended_edits(rows) if object_type == "user" else [],
        "example": example,
        "example_pinned": example is not None and example.object_id in {one.object_id for one in cast},
        "cast": cast,
        "keep": f"?{urlencode({'person': example.object_id})}" if example else "",
        "focus_on": focus_on,
        "may_edit": can(request.user, tenant, Right.CONFIGURE),
        "actions": actions_form(object_type, configuration),
        "actions_changed": any(one.key in {setting_key(name) for name in SETTINGS[object_type]} for one in changes),
    }


SETTINGS: dict[ObjectType, tuple[str, ...]] = {"user": ("user_actions", "guest_user_name"), "group": ("group_actions",)}


def actions_form(
    object_type: ObjectType, configuration: Configuration, data: Any = None
) -> PeopleActionsForm | GroupActionsForm:
    form_class = PeopleActionsForm if object_type == "user" else GroupActionsForm
    return form_class(data, initial={name: getattr(configuration, name) for name in SETTINGS[object_type]})


def example_of(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, rules: Sequence[MappingRow]
) -> Example | None:
    return examples.chosen(request, tenant, graph_select(rules, "user")) if object_type == "user" else None


def found_people(request: HttpRequest, tenant: Tenant, object_type: ObjectType) -> dict[str, Any]:
    """`needs`: the role that looks people up in Entra, for whoever finds those of the mirror only."""
    text = request.GET.get("find", "")
    found: dict[str, Any] = {"people_text": text, "people": [], "unreadable": False}
    if object_type != "user":
        return found
    if not can(request.user, tenant, Right.ON_DEMAND):
        rows = filter_effects.search(tenant, "user", text[:100])
        people = [live.mirrored_user(row) for row in rows if isinstance(row, DirectoryUser)]
        return found | {"people": people, "needs": lowest_role_with(Right.ON_DEMAND).label}
    try:
        found["people"] = live.search_people(tenant, text)
    except live.UNREADABLE:
        found["unreadable"] = True
    return found


# --- One row ---


def form_for(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, row: AttributeMapping | None, target: str
) -> MappingForm:
    """`target` without a row: somebody else removed the row while the form was open."""
    initial: dict[str, object] = {"target": request.GET.get("target"), "kind": "direct", "apply": "always"}
    if row is not None or target:
        choices = [(target, target)]
        initial = values_of(row.rule()) if row else initial
    else:
        free = mapping_table.unmapped(draft_or_current(tenant).mappings.filter(object_type=object_type), object_type)
        choices = [(one["target"], f"{one['short']} · {one['label']}") for one in free]
        posted = request.POST.get("target", "")
        # Somebody else may have mapped it meanwhile: the service says so.
        if aws_fields.is_target(posted, object_type) and posted not in dict(choices):
            choices.append((posted, short_path(posted)))
    key = mapping_table.slug(target) if target else "new"
    return MappingForm(request.POST or None, key=key, targets=choices, object_type=object_type, initial=initial)


def edit_context(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, row: AttributeMapping | None, form: MappingForm
) -> dict[str, Any]:
    target = row.target if row else ""
    remove = with_person(request, reverse("mapping_remove", args=[tenant.slug, object_type, target])) if row else ""
    attributes = source_attributes.of(tenant, object_type)
    rules = [MappingRow("", "direct", one.name) for one in attributes.known]
    example = example_of(request, tenant, object_type, [*every_source(object_type), *rules])
    return {
        "tenant": tenant,
        "object_type": object_type,
        "row": row,
        "key": mapping_table.slug(target) if row else "new",
        "form": form,
        "page_name": _("Edit %(field)s") % {"field": short_path(target)} if row else _("Add mapping"),
        "target_short": short_path(target),
        "target_label": field_label(target),
        "required": target in aws_fields.required_targets(object_type),
        "attributes": attribute_lines(attributes.known, example),
        "attributes_note": attributes.note,
        "example": example,
        "seen": revision(row),
        "action": request.get_full_path(),
        "remove": remove,
        "back": list_url(tenant, object_type, request),
        "person_chosen": bool(examples.person_of(request)),
    }


def preview(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, row: AttributeMapping | None, form: MappingForm
) -> HttpResponse:
    """What the rule of the form would give; while it is wrong, only the reason goes out and the last result stays."""
    result = tried(request, tenant, object_type, form)
    if not request.htmx:
        context = edit_context(request, tenant, object_type, row, form) | result
        return render_page(request, "mappings/edit.html", context)
    key = mapping_table.slug(row.target) if row else "new"
    partial, context = "wrong" if result["wrong"] else "preview", {"tenant": tenant, "key": key} | result
    response = render_page(request, "mappings/edit.html", context, partial=partial, edited=False)
    if result["wrong"]:
        response["HX-Retarget"] = f"#wrong-{key}"
    return response


def tried(request: HttpRequest, tenant: Tenant, object_type: ObjectType, form: MappingForm) -> dict[str, Any]:
    """`wrong`: what keeps the rule from being tried at all."""
    if not form.is_valid():
        return {"wrong": [str(error) for errors in form.errors.values() for error in errors]}
    rule = form.rule()
    problems = mapping_checks.source_problems(rule, object_type)
    if wrong := [problem_sentence(problem) for problem in problems if problem.code in ("expression", "unknown-source")]:
        return {"wrong": wrong}
    people = everyone(request, tenant, object_type, [rule])
    found = gets_of(tenant, object_type, rule, people)
    has_chosen = bool(examples.person_of(request)) and object_type == "user"
    return {"wrong": [], "gets": found[0] if has_chosen else None, "others": found[1:] if has_chosen else found}


def everyone(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, rules: Sequence[MappingRow]
) -> list[Example]:
    """The chosen person first, then the cast."""
    if object_type != "user":
        return []
    # Of the chosen person always the same is read, which is remembered while somebody types.
    example = examples.chosen(request, tenant, graph_select([*every_source("user"), *rules], "user"))
    cast = [one for one in examples.pinned(request, tenant) if example is None or one.object_id != example.object_id]
    return [*([example] if example else []), *examples.with_values(tenant, cast, graph_select(rules, "user"))]


def every_source(object_type: ObjectType) -> list[MappingRow]:
    """Rows that read every attribute of the table."""
    return [MappingRow("", "direct", source.name) for source in entra_attributes.SOURCES[object_type]]


def gets_of(tenant: Tenant, object_type: ObjectType, rule: MappingRow, people: Sequence[Example]) -> list[Gets]:
    guest_user_name = draft_or_current(tenant).guest_user_name
    return [mapping_table.gets(rule, person, object_type, guest_user_name) for person in people]


def attribute_lines(known: Sequence[entra_attributes.SourceAttribute], example: Example | None) -> list[dict[str, str]]:
    """For the list under Source: name, what it is, its type, and what the chosen person has in it."""
    source = example.source if example else None
    return [
        {
            "name": one.name,
            "description": described(one),
            "type": str(source_attributes.TYPES[one.type]),
            "value": (mapping_table.in_words(mapping.read(one, source, present=True)) or "") if source else "",
        }
        for one in known
    ]


def described(source: entra_attributes.SourceAttribute) -> str:
    label = _(source.label)
    return f"{label}. {_(source.description)}" if source.description else label


def one_line(request: HttpRequest, tenant: Tenant, object_type: ObjectType, row: AttributeMapping) -> dict[str, Any]:
    context = table(request, tenant, object_type, focus_on=row.target)
    return context | {"line": next(line for line in context["lines"] if line.row.target == row.target)}


def back_to_table(
    request: HttpRequest, tenant: Tenant, object_type: ObjectType, said: str, focus_on: str = ""
) -> HttpResponse:
    """Under htmx the table takes the row's place as a whole: one edit may settle the warning of another row."""
    if not request.htmx:
        messages.success(request, said)
        return redirect_to(request, list_url(tenant, object_type, request))
    context = table(request, tenant, object_type, focus_on) | {"said": said}
    response = render_page(request, "mappings/list.html", context, partial="saved")
    response["HX-Retarget"], response["HX-Reswap"] = "#mappings", "innerHTML"
    return response


def row_of(tenant: Tenant, object_type: ObjectType, target: str) -> AttributeMapping | None:
    return draft_or_current(tenant).mappings.filter(object_type=object_type, target=target).first()


def list_url(tenant: Tenant, object_type: ObjectType, request: HttpRequest) -> str:
    return with_person(request, reverse("mappings", args=[tenant.slug, object_type]))


def with_person(request: HttpRequest, url: str) -> str:
    """The chosen person goes along in the URL: a pasted link shows the same values."""
    person = examples.person_of(request)
    return f"{url}?{urlencode({'person': person})}" if person else url
