"""The API's description: the file is what is served, and the page shows all of it without anything from elsewhere."""

import json
import re

import pytest
from django.test import Client

from portal.api.docs import described, kind_of
from tests.world.programs import ROOT
from tools.openapi import text_of

pytestmark = pytest.mark.django_db


def test_the_file_in_the_repository_is_the_description() -> None:
    """`python3 tools/openapi.py` writes it."""
    assert (ROOT / "docs" / "openapi.json").read_text() == text_of(described())


def test_anybody_may_read_it() -> None:
    assert Client().get("/api/v1/openapi.json").json() == json.loads(text_of(described()))


def test_it_is_openapi_3_1_and_every_reference_leads_somewhere() -> None:
    found = described()
    assert found["openapi"] == "3.1.0"
    references = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', text_of(found)))
    assert references <= found["components"]["schemas"].keys()


def test_every_operation_has_words_a_scope_and_the_problem() -> None:
    for path, methods in described()["paths"].items():
        for one in methods.values():
            assert one["summary"], path
            assert one["security"] == [{"Token": []}], path
            assert "application/problem+json" in one["responses"]["default"]["content"], path


def test_the_page_shows_every_operation(jo: Client) -> None:
    page = jo.get("/help/api/").content.decode()
    for path, methods in described()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}</code>" in page


def test_types_are_said_in_words() -> None:
    assert kind_of({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}) == "moment or null"
    assert kind_of({"type": "array", "items": {"type": "integer"}}) == "list of whole number"
    assert kind_of({"$ref": "#/components/schemas/Word"}).startswith("only_in_aws | held")
