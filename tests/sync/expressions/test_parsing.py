"""Reading an expression, and what is said when it cannot be read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.expressions import (
    FUNCTIONS,
    EvaluationError,
    ExpressionError,
    ExpressionLimits,
    check,
    evaluate,
    format,  # noqa: A004
    parse,
)
from tests.world.examples import share

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("source", "line", "column", "message"),
    [
        ("", 1, 1, "The expression is empty"),
        ("   ", 1, 4, "The expression is empty"),
        ('Join(" ", [givenName]', 1, 22, r"Expected a comma or \) in Join, but found the end"),
        ('Join(" ", [givenName', 1, 11, r"Expected a \]"),
        ('Join(" , [givenName])', 1, 6, 'Expected a " at its end'),
        ('Append("\\", "x")', 1, 15, 'Expected a " at its end'),  # the text is `", `
        ('Append("a" "b")', 1, 12, r'Expected a comma or \) in Append, but found "b"'),
        ('Append("a", "b"))', 1, 17, r"Expected the end of the expression, but found \)"),
        ("Append([], 1)", 1, 8, "Expected the name of an attribute"),
        ('Append("a",\n  Jion("b", "c"))', 2, 3, "There is no function Jion"),
        ('Append("a",\n  surname)', 2, 3, "“surname” has no meaning here"),
        ("IIF([a] = 1 AND [b] = 2, 1, 2)", 1, 13, "There is no AND"),
        ("IIF([a] = 1 or [b] = 2, 1, 2)", 1, 13, "There is no or"),
        ("Left([a], 1.2.3)", 1, 11, "This is not a number"),
        ("Left([a], 12x)", 1, 11, "This is not a number"),
        ("Left([a], %)", 1, 11, "The character % has no meaning here"),
        ("Append('a', 'b')", 1, 8, "between double quotes"),
        ("Append(“a”, “b”)", 1, 8, "straight ones"),
        ("Append(= 1)", 1, 8, r"Expected a function, an \[attribute\]"),
        ("[a] = [b] = [c]", 1, 11, "Expected the end"),
        ("Left([a], )", 1, 11, "Left needs its argument numChars"),
        ('Switch([a], , , "x")', 1, 15, "Switch needs its argument key1"),
        ("DefaultDomain()", 1, 1, "Write the domain between quotes"),
        ("Append([a], UCase([b]))", 1, 13, "UCase for Microsoft Entra Connect"),
        ("SelectUniqueValue([a])", 1, 1, "SelectUniqueValue needs at least 2 values"),
        ('Append(SelectUniqueValue([a], [b]), "x")', 1, 8, "cannot stand inside another function"),
        ('FormatDateTime([a], , "", )', 1, 27, "needs an inputFormat and an outputFormat"),
        ("Replace([a], [b])", 1, 1, "Replace needs oldValue with"),
        ('Replace([a], "b", "c", , "d")', 1, 1, "Replace needs oldValue with"),
        ('Replace([a], , "(\\\\d)(?=x)", , "")', 1, 22, "looks around"),
        ('Append("x",\n  Replace([a], , "\\"\\\\b", , ""))', 2, 21, "the edge of a word"),
        ('Replace([a], , "(?<one>.)", "two", "")', 1, 29, "no group two"),
    ],
)
def test_an_error_names_its_place_and_what_was_expected(source: str, line: int, column: int, message: str) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        parse(source)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_several_wrong_names_are_all_found() -> None:
    found = check('Jion("a", Lefft([x], 2), Mid([x]))')
    assert [(error.column, error.params["name"]) for error in found] == [
        (1, "Jion"),
        (11, "Lefft"),
        (26, "Mid"),
    ]


def test_a_right_expression_has_no_problems() -> None:
    assert check('Join(" ", [givenName], [surname])') == []


def test_the_template_can_be_translated_before_the_facts_go_in() -> None:
    (error,) = check("Foo()")
    assert error.template % error.params == error.message


def test_attributes_are_listed_once_in_the_order_they_are_written() -> None:
    expression = parse('IIF([b] = "x", [a], Join(".", [b], [extension_0123_Team]))')
    assert expression.attributes == ("b", "a", "extension_0123_Team")


def test_the_saved_form_has_canonical_names_and_the_layout_of_the_admin() -> None:
    written = 'SWITCH( toLower([ state ]) ,,"iif(",\n  INSTR([x], "y", 1, VBTextCompare) ) '
    saved = 'Switch( ToLower([ state ]) ,,"iif(",\n  InStr([x], "y", 1, vbTextCompare) )'
    assert format(parse(written)) == saved
    assert format(parse(saved)) == saved


def test_names_are_read_in_any_case() -> None:
    assert evaluate(parse('TOUPPER(join("-", [a], [b]))'), {"a": "x", "b": "y"}) == "X-Y"


def test_escapes_are_read_as_microsoft_prints_them() -> None:
    assert evaluate(parse(r'Append("a\"b\\c", "\+(")'), {}) == r'a"b\c\+('


def test_an_escaped_text_survives_saving() -> None:
    source = format(parse(r'Append("a\"b\\c", "\+(")'))
    assert evaluate(parse(source), {}) == r'a"b\c\+('


def test_attribute_names_keep_their_case_and_may_have_dots() -> None:
    assert evaluate(parse('Append([a.B], "")'), {"a.B": "x", "a.b": "y"}) == "x"


def test_a_long_source_is_refused() -> None:
    with pytest.raises(ExpressionError, match="10000 is the limit"):
        parse(f'Append("{"x" * 10_000}", "")')


def test_deep_nesting_is_refused() -> None:
    parse("Trim(" * 50 + "[a]" + ")" * 50)
    with pytest.raises(ExpressionError, match="More than 50 functions"):
        parse("Trim(" * 51 + "[a]" + ")" * 51)


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(ExpressionError, match="more than 2000 parts"):
        parse(f"Join({','.join(['1'] * 2_001)})")


@pytest.mark.parametrize(
    "source",
    [
        'Replace([a], "x", , , [a])',
        "Join([a], [many])",
        "Append([a], [a])",
        "[a] & [a]",
        "ConvertToUTF8Hex([a])",
    ],
)
def test_a_value_that_grows_too_large_is_stopped(source: str) -> None:
    data = {"a": "x" * 900, "many": ["y"] * 3}
    with pytest.raises(EvaluationError, match="more than 1000 characters"):
        evaluate(parse(source), data, limits=ExpressionLimits(output=1_000))


def test_too_many_steps_are_stopped() -> None:
    with pytest.raises(EvaluationError, match="more than 5 steps"):
        evaluate(parse('Join(" ", "a", "b", "c", "d", "e")'), {}, limits=ExpressionLimits(steps=5))


CALLS = (
    "Join(",
    "Switch(",
    "IIF(",
    "Replace(",
    "Mid(",
    "Now()",
    "(",
    ")",
    ",",
    "IgnoreAttributeFlow",
    "vbTextCompare",
)
SIGNS = ('"', "\\", "[", "]", "&", "=", "<>", ">=", " ", "\n", "é", "\0", "💥")
VALUES = ("[a]", "[many]", '"x"', '""', "1", "-1", "1.5", "&HF")
PIECES = st.sampled_from([*CALLS, *SIGNS, *VALUES])
DATA = {"a": "Zoë", "many": ["x", "y"], "n": 3, "b": True}


def refusal(source: str) -> ExpressionError | None:
    """Reads, saves and evaluates; anything but an ExpressionError is a fault of ours and fails the test."""
    try:
        expression = parse(source)
        assert format(parse(format(expression))) == format(expression)
        evaluate(expression, DATA)
    except ExpressionError as error:
        return error
    return None


def has_a_place(error: ExpressionError | None, source: str) -> bool:
    return error is None or (1 <= error.line <= source.count("\n") + 1 and error.column >= 1 and error.message != "")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_place(source: str) -> None:
    assert has_a_place(refusal(source), source)


@given(st.lists(PIECES, max_size=60).map("".join))
@settings(max_examples=share(4))
def test_any_pieces_are_read_or_refused_with_a_place(source: str) -> None:
    assert has_a_place(refusal(source), source)


def calls() -> st.SearchStrategy[str]:
    """Well-formed calls of every function, with arguments that mostly do not fit."""
    texts = ('"x"', '""', '"5"', '"2026-11-23"')
    plain = st.sampled_from([*texts, "[a]", "[many]", "[n]", "[b]", "[gone]", "3", "-1", "0.5", "99999999999"])
    names = st.sampled_from([function.name for function in FUNCTIONS.values()])
    return st.recursive(
        plain,
        lambda inner: st.builds(lambda name, args: f"{name}({', '.join(args)})", names, st.lists(inner, max_size=6)),
        max_leaves=12,
    )


@given(calls())
@settings(max_examples=share(4))
def test_any_call_gives_a_value_or_an_error_with_a_place(source: str) -> None:
    assert has_a_place(refusal(source), source)


def test_a_long_row_of_joined_texts_is_read_checked_saved_and_worked_out() -> None:
    source = "&".join(["[a]"] * 1_900)
    assert check(source) == []
    assert format(parse(source)) == source
    assert evaluate(parse(source), {"a": "x"}) == "x" * 1_900
