"""Help beside the mapping editor: every function of the language, every field of AWS, every attribute of Entra."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.frame.render import render_page, wants_partial
from portal.pages.mappings.page import attribute_lines
from portal.words.aws_fields import field_label, short_path
from sync import expressions
from sync.expressions.dotnet import NOT_IN_RE2
from sync.expressions.functions import WORDS
from sync.models import Tenant
from sync.rules.entra_attributes import SOURCES
from sync.rules.rows import ObjectType
from sync.scim.resource import ATTRIBUTES, RESERVED_IN, RESERVED_NAMES, ScimAttribute

OBJECT_TYPES: tuple[ObjectType, ...] = ("user", "group")


@page(read=Right.READ)
def expression_help(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """As a page; under htmx as the list inside the editor, each function to be inserted."""
    context = {
        "tenant": tenant,
        "functions": functions(),
        "words": [_word(word) for word in WORDS.values()],
        "refused": NOT_IN_RE2,
        "in_editor": wants_partial(request),
    }
    return render_page(request, "mappings/expressions.html", context, partial="functions")


def functions() -> list[dict[str, str]]:
    """From the table that the evaluator itself runs by."""
    found = sorted(expressions.FUNCTIONS.values(), key=lambda one: one.name)
    return [
        {
            "name": one.name,
            "signature": one.signature,
            "summary": _(one.summary),
            "notes": _(one.notes) if one.notes else "",
            "example": one.example,
            "gives": one.gives,
        }
        for one in found
    ]


def _word(word: expressions.functions.Keyword) -> dict[str, str]:
    return {"name": word.name, "summary": _(word.summary)}


@page(read=Right.READ)
def aws_fields(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """What AWS takes, as the rules of the product have it: read-only."""
    tables = [
        {
            "object_type": object_type,
            "fields": [_field(object_type, one) for one in ATTRIBUTES[object_type].values()],
            "sources": attribute_lines(SOURCES[object_type], None),
        }
        for object_type in OBJECT_TYPES
    ]
    return render_page(request, "mappings/fields.html", {"tenant": tenant, "tables": tables})


def _field(object_type: ObjectType, one: ScimAttribute) -> dict[str, Any]:
    kinds = {"string": _("Text"), "boolean": _("True or false"), "reference": _("Reference")}
    return {
        "short": short_path(one.path),
        "label": field_label(one.path),
        "type": kinds[one.kind],
        "required": one.required,
        "length": one.max_length if one.kind == "string" else None,
        # Where values need not differ, case is stored as it comes.
        "case_exact": one.case_exact if one.unique else None,
        "rules": _rules(object_type, one),
    }


def _rules(object_type: ObjectType, one: ScimAttribute) -> list[str]:
    return [
        *([_("unique")] if one.unique else []),
        *([_("can be matched on")] if one.filterable else []),
        *([_("no white space")] if one.solid else []),
        *([_("one item in %(list)s") % {"list": one.list_name}] if one.list_name else []),
        *([_("not %(names)s") % {"names": ", ".join(RESERVED_NAMES)}] if RESERVED_IN[object_type] == one.path else []),
    ]
