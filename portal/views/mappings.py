"""Mappings: which Entra value lands in which AWS field, and what a real person gets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import fields
from portal.access import can, signed_in, tenant_for
from portal.forms.mappings import MappingForm, values_of
from portal.http import HttpRequest
from portal.render import redirect_to, render_page
from portal.roles import Right
from sync import directory, mapping
from sync.models import AttributeMapping, Tenant
from sync.services import configurations
from sync.services.configurations import Refused, sentence
from sync.services.drafts import shown

OBJECTS = {"people": "user", "groups": "group"}


@dataclass(slots=True)
class Line:
    """One row of the table. `value` is what the chosen person gets: None for nothing."""

    row: AttributeMapping
    required: bool
    label: str
    short: str
    warnings: list[str]
    value: str | None = None
    from_default: bool = False
    error: str = ""


@dataclass(slots=True)
class Example:
    """The person that the values are shown for. `source`: the Graph user, None while Entra cannot be read."""

    object_id: str
    name: str
    source: dict[str, Any] | None = None

    @property
    def readable(self) -> bool:
        return self.source is not None


@dataclass(slots=True)
class Result:
    """What one rule makes of the chosen person's values."""

    value: str | None = None
    error: str = ""
    inputs: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return len(self.value or "")


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
    row = row_or_404(tenant, plural, target)
    if "close" in request.GET:
        return render_page(request, "mappings/list.html", one_line(request, tenant, plural, row), partial="line")
    return edit(request, tenant, plural, row)


@signed_in
@require_http_methods(["GET", "POST"])
def mapping_add(request: HttpRequest, slug: str, plural: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    return edit(request, tenant, plural, None)


def edit(request: HttpRequest, tenant: Tenant, plural: str, row: AttributeMapping | None) -> HttpResponse:
    """Show the form, preview what it gives, or save it: a preview changes nothing."""
    form = form_for(request, tenant, plural, row)
    context = edit_context(request, tenant, plural, row, form)
    if "preview" in request.POST:
        example = example_of(request, tenant, plural, every_source(OBJECTS[plural]))
        context |= {"example": example, "result": preview(example, form)}
        return render_page(request, "mappings/edit.html", context, partial="preview")
    if request.method == "POST" and form.is_valid():
        try:
            saved = configurations.save_mapping(
                actor=request.user.email,
                tenant=tenant,
                object_type=OBJECTS[plural],
                rule=form.rule(),
                row=row,
            )
            return back_to_table(request, tenant, plural, _("Saved %(field)s.") % {"field": saved}, saved)
        except Refused as error:
            form.refuse((problem.field, sentence(problem)) for problem in error.problems)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "mappings/edit.html", context, partial="row", status=status)


@signed_in
@require_http_methods(["GET", "POST"])
def mapping_remove(request: HttpRequest, slug: str, plural: str, target: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    row = row_or_404(tenant, plural, target)
    if request.method == "POST":
        try:
            configurations.remove_mapping(actor=request.user.email, tenant=tenant, row=row)
        except Refused as error:
            messages.error(request, " ".join(sentence(problem) for problem in error.problems))
            return redirect_to(request, list_url(tenant, plural, request))
        return back_to_table(request, tenant, plural, _("Removed %(field)s.") % {"field": target})
    context = {
        "tenant": tenant,
        "page_name": _("Remove %(field)s?") % {"field": fields.short(target)},
        "consequence": _("The field is no longer written. What AWS holds in it now is taken away with the next run."),
        "action": request.get_full_path(),
        "edit": with_person(request, reverse("mapping", args=[tenant.slug, plural, target])),
        "back": list_url(tenant, plural, request),
    }
    return render_page(request, "mappings/remove.html", context, partial="ask")


@signed_in
@require_http_methods(["GET", "POST"])
def mappings_reset(request: HttpRequest, slug: str, plural: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    object_type = object_type_or_404(plural)
    if request.method == "POST":
        configurations.reset_mappings(actor=request.user.email, tenant=tenant, object_type=object_type)
        messages.success(request, _("The mappings are those of Entra's template again."))
        return redirect_to(request, list_url(tenant, plural, request))
    context = {"tenant": tenant, "plural": plural, "rows": len(configurations.template(object_type))}
    return render_page(request, "mappings/reset.html", context, partial="ask")


@signed_in
@require_POST
def mappings_recommended(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.CONFIGURE)
    configurations.apply_recommended(actor=request.user.email, tenant=tenant)
    messages.success(request, _("The mappings are as recommended for AWS."))
    return redirect_to(request, list_url(tenant, "people", request))


# --- What the pages show ---


def table(request: HttpRequest, tenant: Tenant, plural: str, focus_on: int | None = None) -> dict[str, Any]:
    object_type = object_type_or_404(plural)
    configuration = shown(tenant)
    rows = list(configuration.mappings.filter(object_type=object_type))
    example = example_of(request, tenant, plural, [row.rule() for row in rows])
    return {
        "tenant": tenant,
        "plural": plural,
        "plural_name": _("People") if plural == "people" else _("Groups"),
        "configuration": configuration,
        "counts": {one: configuration.mappings.filter(object_type=one).count() for one in OBJECTS.values()},
        "lines": lines_of(rows, object_type, example),
        "unmapped": unmapped(rows, object_type),
        "recommended": recommended_edits(rows) if object_type == "user" else [],
        "example": example,
        "keep": f"?{urlencode({'person': example.object_id})}" if example else "",
        "focus_on": focus_on,
        "may_edit": can(request.user, tenant, Right.CONFIGURE),
    }


def lines_of(rows: Sequence[AttributeMapping], object_type: str, example: Example | None) -> list[Line]:
    """Required fields first, then matching ones, then the rest as they stand in the configuration."""
    required = mapping.required_targets(object_type)
    rules = {row.pk: row.rule() for row in rows}
    lines = [
        Line(
            row=row,
            required=row.target in required,
            label=fields.label(row.target),
            short=fields.short(row.target),
            warnings=warnings_of(rules[row.pk], rules.values(), object_type),
        )
        for row in rows
    ]
    if example and example.source is not None:
        show_values(lines, list(rules.values()), example.source)
    return sorted(lines, key=lambda line: (not line.required, line.row.matching or 99))


def warnings_of(rule: mapping.Mapping, rules: Iterable[mapping.Mapping], object_type: str) -> list[str]:
    """Rows of the template stay even where AWS would refuse their result; the table says so."""
    others = [other for other in rules if other.id != rule.id]
    return [warning(problem) for problem in mapping.check_mapping(rule, others, object_type)]


def warning(problem: mapping.Problem) -> str:
    if problem.code == "one-list-value":
        return _("AWS takes one item in %(list)s. It refuses a person with two.") % problem.params
    return sentence(problem)


def show_values(lines: Iterable[Line], rules: Sequence[mapping.Mapping], source: Mapping[str, Any]) -> None:
    mapped = mapping.map_object(mapping.compile_mappings(rules), source, present=is_present(source), creating=True)
    traces = {trace.target: trace for trace in mapped.trace}
    for line in lines:
        trace = traces[line.row.target]
        line.value = in_words(trace.value)
        line.from_default = trace.from_default
        line.error = sentence(trace.problem) if trace.problem else ""


def is_present(source: Mapping[str, Any]) -> bool:
    """As if assigned: the page asks what somebody would get, not whether they come."""
    return source.get("accountEnabled") is not False


def in_words(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def unmapped(rows: Iterable[AttributeMapping], object_type: str) -> list[dict[str, str]]:
    mapped = {row.target for row in rows}
    targets = [target for target in mapping.TARGETS[object_type] if target not in mapped]
    return [{"target": one, "short": fields.short(one), "label": fields.label(one)} for one in targets]


def recommended_edits(rows: Sequence[AttributeMapping]) -> list[str]:
    """What the button would do, one sentence per row; empty when nothing is left to do."""
    kept = {rule.target: rule for rule in mapping.recommended_for_aws(row.rule() for row in rows)}
    gone = [row for row in rows if row.target not in kept]
    moved = [row for row in rows if row.target in kept and kept[row.target].source != row.source]
    return [
        *(_("Remove %(field)s.") % {"field": fields.label(row.target) or row.target} for row in gone),
        *(
            _("Take %(field)s from %(source)s, which never changes, instead of %(old)s.")
            % {"field": fields.label(row.target), "source": kept[row.target].source, "old": row.source}
            for row in moved
        ),
    ]


def example_of(request: HttpRequest, tenant: Tenant, plural: str, rules: Sequence[mapping.Mapping]) -> Example | None:
    """The person that the URL names. While Entra cannot be read, the name is what was seen last."""
    object_id = request.GET.get("person", "")
    if plural != "people" or not object_id:
        return None
    try:
        source = directory.person(tenant, object_id, mapping.graph_select(rules, "user"))
    except directory.UNREADABLE:
        return Example(object_id, directory.last_name(tenant, object_id) or _("this person"))
    return Example(object_id, str(source.get("displayName") or object_id), source)


def found_people(request: HttpRequest, tenant: Tenant, plural: str) -> dict[str, Any]:
    text = request.GET.get("find", "")
    found: dict[str, Any] = {"people_text": text, "people": [], "unreadable": False}
    try:
        found["people"] = directory.search_people(tenant, text) if plural == "people" else []
    except directory.UNREADABLE:
        found["unreadable"] = True
    return found


# --- One row ---


def form_for(request: HttpRequest, tenant: Tenant, plural: str, row: AttributeMapping | None) -> MappingForm:
    object_type = object_type_or_404(plural)
    if row is not None:
        targets = [(row.target, row.target)]
        initial = values_of(row.rule())
    else:
        free = unmapped(shown(tenant).mappings.filter(object_type=object_type), object_type)
        targets = [(one["target"], f"{one['short']} · {one['label']}") for one in free]
        initial = {"target": request.GET.get("target"), "kind": "direct", "apply": "always"}
    return MappingForm(request.POST or None, targets=targets, initial=initial)


def edit_context(
    request: HttpRequest, tenant: Tenant, plural: str, row: AttributeMapping | None, form: MappingForm
) -> dict[str, Any]:
    object_type = object_type_or_404(plural)
    target = row.target if row else ""
    remove = with_person(request, reverse("mapping_remove", args=[tenant.slug, plural, target])) if row else ""
    return {
        "tenant": tenant,
        "plural": plural,
        "row": row,
        "form": form,
        "page_name": _("Edit %(field)s") % {"field": fields.short(target)} if row else _("Add mapping"),
        "target_short": fields.short(target),
        "target_label": fields.label(target),
        "required": target in mapping.required_targets(object_type),
        "attributes": attributes(object_type),
        "example": None,
        "person_chosen": bool(request.GET.get("person")),
        "action": request.get_full_path(),
        "remove": remove,
        "back": list_url(tenant, plural, request),
    }


def preview(example: Example | None, form: MappingForm) -> Result | None:
    if example is None or example.source is None or not form.is_valid():
        return None
    rule = form.rule()
    [trace] = mapping.map_object(
        mapping.compile_mappings([rule]), example.source, present=is_present(example.source), creating=True
    ).trace
    inputs = [(name, in_words(value)) for name, value in trace.inputs.items()]
    return Result(in_words(trace.value), sentence(trace.problem) if trace.problem else "", inputs)


def every_source(object_type: str) -> list[mapping.Mapping]:
    """Rules that read every known attribute: a preview may name any of them."""
    return [mapping.Mapping("", "direct", source.name) for source in mapping.SOURCES[object_type]]


def attributes(object_type: str) -> list[dict[str, str]]:
    return [{"name": source.name, "description": described(source)} for source in mapping.SOURCES[object_type]]


def described(source: mapping.SourceAttribute) -> str:
    label = _(source.label)
    return f"{label}. {_(source.description)}" if source.description else label


def one_line(request: HttpRequest, tenant: Tenant, plural: str, row: AttributeMapping) -> dict[str, Any]:
    context = table(request, tenant, plural, focus_on=row.pk)
    return context | {"line": next(line for line in context["lines"] if line.row.pk == row.pk)}


def back_to_table(
    request: HttpRequest, tenant: Tenant, plural: str, said: str, saved: AttributeMapping | None = None
) -> HttpResponse:
    """Under htmx the table takes the row's place as a whole: one edit may settle the warning of another row."""
    if not request.htmx:
        messages.success(request, said)
        return redirect_to(request, list_url(tenant, plural, request))
    context = table(request, tenant, plural, saved.pk if saved else None) | {"said": said}
    response = render_page(request, "mappings/list.html", context, partial="saved")
    response["HX-Retarget"], response["HX-Reswap"] = "#mappings", "innerHTML"
    return response


def row_or_404(tenant: Tenant, plural: str, target: str) -> AttributeMapping:
    rows = shown(tenant).mappings
    return get_object_or_404(rows, object_type=object_type_or_404(plural), target=target)


def object_type_or_404(plural: str) -> str:
    if plural not in OBJECTS:
        raise Http404
    return OBJECTS[plural]


def list_url(tenant: Tenant, plural: str, request: HttpRequest) -> str:
    return with_person(request, reverse("mappings", args=[tenant.slug, plural]))


def with_person(request: HttpRequest, url: str) -> str:
    """The chosen person goes along in the URL: a pasted link shows the same values."""
    person = request.GET.get("person")
    return f"{url}?{urlencode({'person': person})}" if person else url
