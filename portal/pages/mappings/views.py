"""Mappings: which Entra value lands in which AWS field, and what a real person gets."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access.pages import signed_in
from portal.access.request import HttpRequest, whole_number
from portal.access.rights import can, tenant_for
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
from sync.configuration.leavers import disable_leavers, leavers_problems
from sync.configuration.settings import set_settings
from sync.directory import attributes as source_attributes
from sync.directory import live
from sync.models import AttributeMapping, Configuration, DirectoryUser, Tenant
from sync.preview.queries import filter_effects
from sync.rules import aws_fields, entra_attributes, mapping, mapping_checks
from sync.rules.leavers import TARGET as LEAVERS_FIELD
from sync.rules.rows import MappingProblem, MappingRow, ObjectType, graph_select

OBJECTS: dict[str, ObjectType] = {"people": "user", "groups": "group"}


@signed_in
@require_GET
def mappings(request: HttpRequest, slug: str, plural: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.READ)
    context = table(request, tenant, plural) | found_people(request, tenant, plural)
    return render_page(request, "mappings/list.html", context, partial="people")


@signed_in
@require_http_methods(["GET", "POST"])
def mapping_edit(request: HttpRequest, slug: str, plural: str, target: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    row = row_of(tenant, plural, target)
    if row is None and not request.POST.get("seen"):
        raise Http404
    if "close" in request.GET and row is not None:
        return render_page(request, "mappings/list.html", one_line(request, tenant, plural, row), partial="line")
    return edit(request, tenant, plural, row, target)


@signed_in
@require_http_methods(["GET", "POST"])
def mapping_add(request: HttpRequest, slug: str, plural: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    return edit(request, tenant, plural, None, "")


def edit(request: HttpRequest, tenant: Tenant, plural: str, row: AttributeMapping | None, target: str) -> HttpResponse:
    """Show the form, preview what it gives, or save it: a preview changes nothing."""
    form = form_for(request, tenant, plural, row, target)
    if "preview" in request.POST:
        return preview(request, tenant, plural, row, form)
    if request.method == "POST" and form.is_valid():
        try:
            return save(request, tenant, plural, row, form)
        except Refused as error:
            form.refuse((problem.field, problem_sentence(problem)) for problem in error.problems)
        except EditConflict:
            return conflict_panel(request, tenant, plural, form, row_of(tenant, plural, form.rule().target))
    context = edit_context(request, tenant, plural, row, form)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "mappings/edit.html", context, partial="row", status=status)


def save(
    request: HttpRequest, tenant: Tenant, plural: str, row: AttributeMapping | None, form: MappingForm
) -> HttpResponse:
    """Raises Refused, Conflict."""
    rule, seen = form.rule(), request.POST.get("seen")
    if seen and row is None:
        raise EditConflict(row)
    found = gets_of(tenant, plural, rule, everyone(request, tenant, plural, [rule]))
    problems = mapping_table.sample_problems(found, rule)
    # An edit of something else is not held up by what the row gave before.
    if problems and (row is None or (row.kind, row.source, row.default) != (rule.kind, rule.source, rule.default)):
        raise Refused(problems)
    saved = configurations.save_mapping(
        actor=request.user.email,
        tenant=tenant,
        object_type=OBJECTS[plural],
        rule=rule,
        row=row,
        seen=seen or None,
    )
    told = [*mapping_table.doubts(found), *about_leavers(tenant, plural, saved.target)]
    said = " ".join([_("Saved %(field)s.") % {"field": short_path(saved.target)}, *told])
    return back_to_table(request, tenant, plural, said, saved.target)


def conflict_panel(
    request: HttpRequest, tenant: Tenant, plural: str, form: MappingForm, now: AttributeMapping | None
) -> HttpResponse:
    """Both side by side; keeping mine sends it again, on top of what is there now."""
    mine = form.rule()
    mine_url = reverse("mapping", args=[tenant.slug, plural, mine.target])
    keep_url = mine_url if now else reverse("mapping_add", args=[tenant.slug, plural])
    context = {
        "tenant": tenant,
        "plural": plural,
        "page_name": _("%(field)s changed meanwhile") % {"field": short_path(mine.target)},
        "target_short": short_path(mine.target),
        "pairs": compared(mine, now),
        "gone": now is None,
        "published": published_meanwhile(request, tenant),
        "entries": [(name, value) for name, value in request.POST.items() if name not in ENVELOPE],
        "seen": revision(now),
        "action": with_person(request, keep_url),
        "take": f"{with_person(request, mine_url)}{'&' if examples.person_of(request) else '?'}close=1",
        "back": list_url(tenant, plural, request),
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


@signed_in
@require_http_methods(["GET", "POST"])
def mapping_remove(request: HttpRequest, slug: str, plural: str, target: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    row = row_of(tenant, plural, target)
    if row is None:
        raise Http404
    if request.method == "POST":
        try:
            configurations.remove_mapping(actor=request.user.email, tenant=tenant, row=row)
        except Refused as error:
            messages.error(request, " ".join(problem_sentence(problem) for problem in error.problems))
            return redirect_to(request, list_url(tenant, plural, request))
        told = about_leavers(tenant, plural, target)
        said = " ".join([_("Removed %(field)s.") % {"field": short_path(target)}, *told])
        return back_to_table(request, tenant, plural, said, target)
    context = {
        "tenant": tenant,
        "page_name": _("Remove %(field)s?") % {"field": short_path(target)},
        "consequence": consequence_of_removing(plural, target),
        "action": request.get_full_path(),
        "edit": with_person(request, reverse("mapping", args=[tenant.slug, plural, target])),
        "back": list_url(tenant, plural, request),
    }
    return render_page(request, "mappings/remove.html", context, partial="ask")


def consequence_of_removing(plural: str, target: str) -> str:
    said = _("The field is no longer written. What we wrote to it is taken away by the first run that uses this.")
    if plural != "people" or target != LEAVERS_FIELD:
        return said
    return f"{said} {problem_sentence(MappingProblem('leavers-stay'))}"


@signed_in
@require_POST
def mapping_undo(request: HttpRequest, slug: str, plural: str, target: str) -> HttpResponse:
    """The row as the published version has it."""
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    versions.undo_change(tenant=tenant, actor=request.user.email, key=mapping_key(object_type_or_404(plural), target))
    said = _("%(field)s is as published again.") % {"field": short_path(target)}
    return back_to_table(request, tenant, plural, said, target)


@signed_in
@require_POST
def mapping_move(request: HttpRequest, slug: str, plural: str, target: str) -> HttpResponse:
    """One place earlier or later in the matching order; the button keeps the focus by its id."""
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    configurations.move_matching(
        actor=request.user.email,
        tenant=tenant,
        object_type=object_type_or_404(plural),
        target=target,
        up=request.POST.get("direction") == "up",
    )
    row = row_of(tenant, plural, target)
    said = _("%(field)s is match %(number)s.") % {
        "field": short_path(target),
        "number": row.matching if row else "",
    }
    return back_to_table(request, tenant, plural, said)


@signed_in
@require_http_methods(["GET", "POST"])
def mappings_reset(request: HttpRequest, slug: str, plural: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    object_type = object_type_or_404(plural)
    if request.method == "POST":
        configurations.reset_mappings(actor=request.user.email, tenant=tenant, object_type=object_type)
        messages.success(request, _("The mappings are those of Entra's template again."))
        return redirect_to(request, list_url(tenant, plural, request))
    context = {
        "tenant": tenant,
        "plural": plural,
        "rows": len(configurations.template(object_type)),
        "published": tenant.configurations.published().exists(),
    }
    return render_page(request, "mappings/reset.html", context, partial="ask")


@signed_in
@require_POST
def mappings_recommended(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    configurations.apply_recommended(actor=request.user.email, tenant=tenant)
    messages.success(request, _("The mappings are as recommended for AWS."))
    return redirect_to(request, list_url(tenant, "people", request))


@require_POST
@signed_in
def mappings_disable_leavers(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    disable_leavers(actor=request.user.email, tenant=tenant)
    messages.success(request, _("Whoever leaves is disabled in AWS, once this is published."))
    return redirect_to(request, list_url(tenant, "people", request))


@signed_in
@require_POST
def mappings_actions(request: HttpRequest, slug: str, plural: str) -> HttpResponse:
    """What may be done in AWS, and what a guest's userPrincipalName stands for."""
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    form = actions_form(plural, draft_or_current(tenant), request.POST)
    if not form.is_valid():
        return render_page(
            request, "mappings/list.html", table(request, tenant, plural) | {"actions": form}, status=422
        )
    set_settings(actor=request.user.email, tenant=tenant, **form.cleaned_data)
    messages.success(request, _("Saved what may be done in AWS."))
    return redirect_to(request, list_url(tenant, plural, request))


@signed_in
@require_POST
def mappings_actions_undo(request: HttpRequest, slug: str, plural: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    for name in SETTINGS[plural]:
        versions.undo_change(tenant=tenant, actor=request.user.email, key=setting_key(name))
    messages.success(request, _("What may be done in AWS is as published again."))
    return redirect_to(request, list_url(tenant, plural, request))


@signed_in
@require_POST
def mappings_cast(request: HttpRequest, slug: str) -> HttpResponse:
    """Pin or unpin a person; "again": those that we propose. Kept in the session, so any reader may."""
    tenant = tenant_for(request, slug, Right.READ)
    if person := request.POST.get("pin"):
        try:
            examples.pin(request, tenant, person)
        except examples.CannotPin as error:
            messages.warning(request, str(error))
    elif person := request.POST.get("unpin"):
        examples.unpin(request, tenant, person)
    else:
        examples.propose_again(request, tenant)
    return redirect_to(request, list_url(tenant, "people", request))


# --- What the pages show ---


def about_leavers(tenant: Tenant, plural: str, target: str = LEAVERS_FIELD) -> list[str]:
    """Who stays active in AWS under the mappings of people, as far as this field decides it."""
    if plural != "people" or target != LEAVERS_FIELD:
        return []
    return [problem_sentence(problem) for problem in leavers_problems(draft_or_current(tenant))]


def table(request: HttpRequest, tenant: Tenant, plural: str, focus_on: str = "") -> dict[str, Any]:
    object_type = object_type_or_404(plural)
    configuration = draft_or_current(tenant)
    changes = drafts.changes(tenant)
    everything = list(configuration.mappings.all())
    rows = [row for row in everything if row.object_type == object_type]
    example = example_of(request, tenant, plural, [row.rule() for row in rows])
    lines = mapping_table.lines_of(rows, changes, object_type, example, configuration)
    cast = examples.pinned(request, tenant) if plural == "people" else []
    return {
        "tenant": tenant,
        "plural": plural,
        "plural_name": _("People") if plural == "people" else _("Groups"),
        "configuration": configuration,
        # Until the first version the draft is what runs use.
        "published": configuration.number is not None or configuration.based_on_id is not None,
        "counts": {kind: sum(row.object_type == kind for row in everything) for kind in OBJECTS.values()},
        "lines": lines,
        "moves": sum(bool(line.row.matching) for line in lines) > 1,
        "unmapped": mapping_table.unmapped(rows, object_type),
        "recommended": mapping_table.recommended_edits(rows) if object_type == "user" else [],
        "leavers": about_leavers(tenant, plural),
        "example": example,
        "example_pinned": example is not None and example.object_id in {one.object_id for one in cast},
        "cast": cast,
        "keep": f"?{urlencode({'person': example.object_id})}" if example else "",
        "focus_on": focus_on,
        "may_edit": can(request.user, tenant, Right.CONFIGURE),
        "actions": actions_form(plural, configuration),
        "actions_changed": any(one.key in {setting_key(name) for name in SETTINGS[plural]} for one in changes),
    }


SETTINGS = {"people": ("user_actions", "guest_user_name"), "groups": ("group_actions",)}


def actions_form(plural: str, configuration: Configuration, data: Any = None) -> PeopleActionsForm | GroupActionsForm:
    form_class = PeopleActionsForm if plural == "people" else GroupActionsForm
    return form_class(data, initial={name: getattr(configuration, name) for name in SETTINGS[plural]})


def example_of(request: HttpRequest, tenant: Tenant, plural: str, rules: Sequence[MappingRow]) -> Example | None:
    return examples.chosen(request, tenant, graph_select(rules, "user")) if plural == "people" else None


def found_people(request: HttpRequest, tenant: Tenant, plural: str) -> dict[str, Any]:
    """`needs`: the role that looks people up in Entra, for whoever finds those of the mirror only."""
    text = request.GET.get("find", "")
    found: dict[str, Any] = {"people_text": text, "people": [], "unreadable": False}
    if plural != "people":
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
    request: HttpRequest, tenant: Tenant, plural: str, row: AttributeMapping | None, target: str
) -> MappingForm:
    """`target` without a row: somebody else removed the row while the form was open."""
    object_type = object_type_or_404(plural)
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
    request: HttpRequest, tenant: Tenant, plural: str, row: AttributeMapping | None, form: MappingForm
) -> dict[str, Any]:
    object_type = object_type_or_404(plural)
    target = row.target if row else ""
    remove = with_person(request, reverse("mapping_remove", args=[tenant.slug, plural, target])) if row else ""
    attributes = source_attributes.of(tenant, object_type)
    rules = [MappingRow("", "direct", one.name) for one in attributes.known]
    example = example_of(request, tenant, plural, [*every_source(object_type), *rules])
    return {
        "tenant": tenant,
        "plural": plural,
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
        "back": list_url(tenant, plural, request),
        "person_chosen": bool(examples.person_of(request)),
    }


def preview(
    request: HttpRequest, tenant: Tenant, plural: str, row: AttributeMapping | None, form: MappingForm
) -> HttpResponse:
    """What the rule of the form would give; while it is wrong, only the reason goes out and the last result stays."""
    result = tried(request, tenant, plural, form)
    if not request.htmx:
        context = edit_context(request, tenant, plural, row, form) | result
        return render_page(request, "mappings/edit.html", context)
    key = mapping_table.slug(row.target) if row else "new"
    partial, context = "wrong" if result["wrong"] else "preview", {"tenant": tenant, "key": key} | result
    response = render_page(request, "mappings/edit.html", context, partial=partial, edited=False)
    if result["wrong"]:
        response["HX-Retarget"] = f"#wrong-{key}"
    return response


def tried(request: HttpRequest, tenant: Tenant, plural: str, form: MappingForm) -> dict[str, Any]:
    """`wrong`: what keeps the rule from being tried at all."""
    if not form.is_valid():
        return {"wrong": [str(error) for errors in form.errors.values() for error in errors]}
    rule = form.rule()
    problems = mapping_checks.source_problems(rule, OBJECTS[plural])
    if wrong := [problem_sentence(problem) for problem in problems if problem.code in ("expression", "unknown-source")]:
        return {"wrong": wrong}
    people = everyone(request, tenant, plural, [rule])
    found = gets_of(tenant, plural, rule, people)
    has_chosen = bool(examples.person_of(request)) and plural == "people"
    return {"wrong": [], "gets": found[0] if has_chosen else None, "others": found[1:] if has_chosen else found}


def everyone(request: HttpRequest, tenant: Tenant, plural: str, rules: Sequence[MappingRow]) -> list[Example]:
    """The chosen person first, then the cast."""
    if plural != "people":
        return []
    # Of the chosen person always the same is read, which is remembered while somebody types.
    example = examples.chosen(request, tenant, graph_select([*every_source("user"), *rules], "user"))
    cast = [one for one in examples.pinned(request, tenant) if example is None or one.object_id != example.object_id]
    return [*([example] if example else []), *examples.with_values(tenant, cast, graph_select(rules, "user"))]


def every_source(object_type: ObjectType) -> list[MappingRow]:
    """Rows that read every attribute of the table."""
    return [MappingRow("", "direct", source.name) for source in entra_attributes.SOURCES[object_type]]


def gets_of(tenant: Tenant, plural: str, rule: MappingRow, people: Sequence[Example]) -> list[Gets]:
    guest_user_name = draft_or_current(tenant).guest_user_name
    return [mapping_table.gets(rule, person, OBJECTS[plural], guest_user_name) for person in people]


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


def one_line(request: HttpRequest, tenant: Tenant, plural: str, row: AttributeMapping) -> dict[str, Any]:
    context = table(request, tenant, plural, focus_on=row.target)
    return context | {"line": next(line for line in context["lines"] if line.row.target == row.target)}


def back_to_table(request: HttpRequest, tenant: Tenant, plural: str, said: str, focus_on: str = "") -> HttpResponse:
    """Under htmx the table takes the row's place as a whole: one edit may settle the warning of another row."""
    if not request.htmx:
        messages.success(request, said)
        return redirect_to(request, list_url(tenant, plural, request))
    context = table(request, tenant, plural, focus_on) | {"said": said}
    response = render_page(request, "mappings/list.html", context, partial="saved")
    response["HX-Retarget"], response["HX-Reswap"] = "#mappings", "innerHTML"
    return response


def row_of(tenant: Tenant, plural: str, target: str) -> AttributeMapping | None:
    return draft_or_current(tenant).mappings.filter(object_type=object_type_or_404(plural), target=target).first()


def object_type_or_404(plural: str) -> ObjectType:
    if plural not in OBJECTS:
        raise Http404
    return OBJECTS[plural]


def list_url(tenant: Tenant, plural: str, request: HttpRequest) -> str:
    return with_person(request, reverse("mappings", args=[tenant.slug, plural]))


def with_person(request: HttpRequest, url: str) -> str:
    """The chosen person goes along in the URL: a pasted link shows the same values."""
    person = examples.person_of(request)
    return f"{url}?{urlencode({'person': person})}" if person else url
