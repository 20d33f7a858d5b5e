"""Expressions as rows of a mapping: what is refused before saving, and what is left alone in AWS."""

from dataclasses import replace

import pytest

from sync.mapping import Mapped, Mapping, canonical, check_mapping, compile_mappings, map_object

pytestmark = pytest.mark.pure

ROW = Mapping("title", "expression", 'Join(" ", [jobTitle], [department])')


def mapped(source: str, *, creating: bool = True, **properties: object) -> Mapped:
    rules = compile_mappings([replace(ROW, source=source, default="none")])
    return map_object(rules, properties, present=True, creating=creating)


def untouched(result: Mapped) -> set[str]:
    return {trace.target for trace in result.untouched}


def codes(row: Mapping) -> list[tuple[str, str]]:
    return [(problem.code, problem.field) for problem in check_mapping(row, [])]


def test_a_pattern_takes_part() -> None:
    result = mapped(r'Replace([jobTitle], , "\\s+\\((?<level>.*)\\)", , " ${level}", , )', jobTitle="Engineer  (II)")
    assert result.values == {"title": "Engineer II"}


def test_a_pattern_that_cannot_be_run_is_refused_in_the_row() -> None:
    [problem] = check_mapping(replace(ROW, source='Replace([jobTitle], , "a(?=b)", , "", , )'), [])
    assert (problem.code, problem.field, problem.params["column"]) == ("expression", "source", 25)
    assert "looks around" in problem.sentence


def test_an_ignored_attribute_stays_and_has_no_default() -> None:
    result = mapped("IgnoreFlowIfNullOrEmpty([jobTitle])")
    assert (result.values, untouched(result), result.problems) == ({}, {"title"}, ())


def test_an_ignored_object_is_not_written() -> None:
    result = mapped('IIF([jobTitle] = "", IgnoreObjectFlow, [jobTitle])')
    [trace] = result.problems
    assert trace.problem is not None
    assert trace.problem.code == "object-ignored"
    assert (result.values, untouched(result)) == ({}, {"title"})


def test_an_error_of_the_expression_is_the_problem_of_the_object() -> None:
    [trace] = mapped('Coalesce([jobTitle], Error("no title"))').problems
    assert trace.problem is not None
    assert "The expression says: no title" in trace.problem.sentence


@pytest.mark.parametrize("source", ["Guid()", "RandomString(9, 1, 1, 1, 1)", "SelectUniqueValue([mail], [jobTitle])"])
def test_what_gives_another_value_each_time_is_for_creation_only_and_not_to_match_on(source: str) -> None:
    assert codes(replace(ROW, source=source)) == [("random", "apply")]
    assert codes(replace(ROW, source=source, apply="create")) == []
    matching = Mapping("externalId", "expression", source, apply="create", matching=1)
    assert codes(matching) == [("matching-random", "matching")]


def test_names_are_canonical_on_save_and_the_rest_is_as_it_was() -> None:
    assert canonical(replace(ROW, source='join(" ",\n [jobTitle])')).source == 'Join(" ",\n [jobTitle])'
    assert canonical(replace(ROW, source="jion(")).source == "jion("
    assert canonical(replace(ROW, kind="constant", source="join()")).source == "join()"
