"""Our configuration as Microsoft's schema: valid by Graph's own definitions, and the same when it is read again."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from sync.configuration.files import ms_schema
from sync.rules.rows import MappingRow
from sync.rules.template import DEFAULT_GROUP_MAPPINGS, DEFAULT_USER_MAPPINGS
from sync.rules.wanted import Wanted, WantedFilter
from tests.world.configured import CONFIGURATIONS, for_microsoft
from tests.world.examples import share
from tests.world.ms_schema import SAMPLE

pytestmark = pytest.mark.pure
DEFINITIONS = json.loads((Path(__file__).parents[4] / "samples" / "graph-schema.json").read_text())["$defs"]


@cache
def validator() -> Any:
    schema = {"$ref": "#/$defs/microsoft.graph.synchronizationSchema", "$defs": DEFINITIONS}
    return jsonschema.Draft202012Validator(schema)


def with_rule(**facts: Any) -> Wanted:
    rows = [*DEFAULT_USER_MAPPINGS, MappingRow("locale", **{"kind": "constant", "source": "en", **facts})]
    return Wanted(mappings={"user": rows})


def changed(wanted: Wanted) -> dict[str, str]:
    _schema, report = ms_schema.write(wanted)
    return {line.name: line.notes[0].sentence for line in report if line.outcome == "changed"}


def test_the_sample_fits_graphs_definitions() -> None:
    assert list(validator().iter_errors(SAMPLE)) == []


@given(CONFIGURATIONS)
@settings(max_examples=share(0.5))
def test_what_is_written_fits_graphs_definitions_and_is_read_as_it_was(wanted: Wanted) -> None:
    expressible = for_microsoft(wanted)
    schema, report = ms_schema.write(expressible)
    assert list(validator().iter_errors(schema)) == []
    found = ms_schema.read(json.loads(json.dumps(schema)))
    assert found.mappings == expressible.mappings
    assert found.filters == expressible.filters
    assert found.actions == {kind: expressible.settings[f"{kind}_actions"] for kind in ("user", "group")}
    lost = {note.code for line in report for note in line.notes}
    assert lost <= {"written-none"}


@given(CONFIGURATIONS)
@settings(max_examples=share(0.25))
def test_everything_that_is_lost_is_said(wanted: Wanted) -> None:
    """Whatever differs after a round trip has a line that says so."""
    schema, report = ms_schema.write(wanted)
    found = ms_schema.read(schema)
    said = {(line.object_type, line.part, line.name) for line in report if line.outcome == "changed"}
    for kind, rows in wanted.mappings.items():
        for before, after in zip(rows, found.mappings[kind], strict=True):
            loses = before.default_on_update and before.default
            assert (
                before == replace(after, default_on_update=before.default_on_update)
                or (kind, "mapping", before.target) in said
            )
            assert not loses or (kind, "mapping", before.target) in said
    for kind, filters in wanted.filters.items():
        for before_filter, after_filter in zip(filters, found.filters[kind], strict=True):
            assert before_filter == after_filter or (kind, "filter", before_filter.title) in said
    for kind in ("user", "group"):
        same = found.actions[kind] == wanted.settings[f"{kind}_actions"]
        assert same or any(part == "actions" and of == kind for of, part, _name in said)


def test_the_template_is_read_as_it_was_written() -> None:
    wanted = Wanted(mappings={"user": list(DEFAULT_USER_MAPPINGS), "group": list(DEFAULT_GROUP_MAPPINGS)})
    schema, report = ms_schema.write(wanted)
    assert ms_schema.read(schema).mappings == wanted.mappings
    assert {line.outcome for line in report} == {"taken"}


def test_the_sample_is_read_written_and_read_again_the_same() -> None:
    first = ms_schema.read(SAMPLE)
    actions = {f"{kind}_actions": found for kind, found in first.actions.items()}
    schema, report = ms_schema.write(Wanted(first.mappings, first.filters, None, actions))
    again = ms_schema.read(schema)
    assert (again.mappings, again.filters, again.actions) == (first.mappings, first.filters, first.actions)
    assert {line.outcome for line in report} == {"taken"}


def test_the_parts_of_an_expression_stand_beside_its_text() -> None:
    schema, _report = ms_schema.write(
        with_rule(kind="expression", source='Switch([mail], , "a\\"b", ToLower([city], ))')
    )
    written = schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][-1]["source"]
    assert (written["type"], written["name"]) == ("Function", "Switch")
    assert [one["key"] for one in written["parameters"]] == ["source", "key1", "value1"]
    assert written["parameters"][1]["value"]["name"] == 'a"b'
    assert written["parameters"][2]["value"]["expression"] == "ToLower([city], )"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"default": "x", "default_on_update": True}, "only when the object is created"),
        ({"when_empty": "keep"}, "cannot say"),
        ({"kind": "none", "source": "", "default": "x"}, "without a source"),
        ({"kind": "expression", "source": '"a" & [city]'}, "documents no &"),
        ({"kind": "direct", "source": "mobilePhone"}, "called mobile"),
    ],
)
def test_what_microsofts_file_cannot_say_is_reported(facts: dict[str, Any], reason: str) -> None:
    assert reason in changed(with_rule(**facts))["locale"]


def test_disabling_without_updating_is_reported() -> None:
    wanted = replace(with_rule(), settings={"user_actions": ["create", "disable"]})
    assert "Disable" in changed(wanted)["Add"]


def test_a_filter_that_ignores_case_is_reported() -> None:
    clause = {"attribute": "department", "operator": "EQUALS", "value": "a", "ignore_case": True}
    wanted = replace(with_rule(), filters={"user": [WantedFilter("A", [clause])]})
    assert "upper from lower" in changed(wanted)["A"]
