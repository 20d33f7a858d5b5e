"""The API's description: as a file for programs, and as a page of ours that needs nothing from elsewhere."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse

from portal.access.pages import Audience, site_page
from portal.access.request import HttpRequest
from portal.api.application import DESCRIPTION, description, scopes
from portal.frame.problem import PROBLEMS
from portal.frame.render import render_page
from portal.models import Scope


@dataclass(frozen=True, slots=True)
class Field:
    """Of a request or an answer, with its type in words."""

    name: str
    kind: str
    text: str
    required: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation for the page."""

    method: str
    path: str
    summary: str
    text: str
    scope: Scope
    asked: list[Field]
    answered: list[Field]


@cache
def described() -> dict[str, Any]:
    return description()


@site_page(read=Audience.ANYBODY)
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(described())


@site_page(read=Audience.SIGNED_IN)
def page(request: HttpRequest) -> HttpResponse:
    problems = [{"name": code, "status": one[0], "title": one[1], "text": one[2]} for code, one in PROBLEMS.items()]
    context = {"groups": groups(), "scopes": list(Scope), "problems": problems, "description": DESCRIPTION}
    context |= {"origin": settings.PUBLIC_URL}
    return render_page(request, "help/api.html", context)


def groups() -> list[tuple[str, list[Shown]]]:
    """Operations under their headings, in the order of the description."""
    found: dict[str, list[Shown]] = {}
    for path, methods in described()["paths"].items():
        for method, one in methods.items():
            found.setdefault(one["tags"][0], []).append(shown(path, method.upper(), one))
    return list(found.items())


def shown(path: str, method: str, one: dict[str, Any]) -> Shown:
    parameters = [
        Field(given["name"], kind_of(given["schema"]), given.get("description", ""), given["required"])
        for given in one["parameters"]
    ]
    answer = next(answer for status, answer in one["responses"].items() if str(status).startswith("2"))
    return Shown(
        method,
        path,
        one["summary"],
        one.get("description", ""),
        scopes()[one["operationId"]],
        parameters + fields_of(one.get("requestBody", {})),
        fields_of(answer),
    )


def fields_of(part: dict[str, Any]) -> list[Field]:
    """Of a body, or of the rows in it where it is a list."""
    schema = resolved(part.get("content", {}).get("application/json", {}).get("schema", {}))
    properties = schema.get("properties", {})
    if "items" in properties:
        schema = resolved(properties["items"]["items"])
        properties = schema["properties"]
    required = schema.get("required", ())
    return [Field(name, kind_of(one), one.get("description", ""), name in required) for name, one in properties.items()]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = described()["components"]["schemas"][name] if name else schema
    return found


def kind_of(schema: dict[str, Any]) -> str:
    """`moment or null`, `list of whole number`, `created | updated`."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return " or ".join(kind_of(one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " | ".join(map(str, schema.get("enum", [schema.get("const")])))
    if schema.get("format") == "date-time":
        return "moment"
    if schema.get("type") == "array":
        return f"list of {kind_of(schema['items'])}"
    return {"integer": "whole number", "string": "text", "boolean": "true or false"}.get(
        schema.get("type", ""), str(schema.get("type", ""))
    )
