"""What the table says about results holds for results."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.expressions import FUNCTIONS, Function, evaluate, parse
from sync.expressions.docs import MOMENT
from sync.expressions.errors import EvaluationError
from sync.expressions.possible import Possibilities
from sync.expressions.values import Value

pytestmark = pytest.mark.pure

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DATES = st.datetimes().map(lambda moment: moment.isoformat())
IDEMPOTENT = {
    "ToLower": '{0}([a], "tr-TR")',
    "ToUpper": "{0}([a])",
    "PCase": '{0}([a], " -")',
    "NormalizeDiacritics": "{0}([a])",
    "StripSpaces": "{0}([a])",
    "Trim": "{0}([a])",
    "Left": "{0}([a], 3)",
}


def given_by(source: str, **attributes: Value) -> object:
    return evaluate(parse(source), attributes, now=MOMENT)


def test_the_functions_said_to_be_idempotent_are_tried_below() -> None:
    assert {one.name for one in FUNCTIONS.values() if one.idempotent} == set(IDEMPOTENT)


@pytest.mark.parametrize("name", IDEMPOTENT)
@given(data=st.data())
def test_an_idempotent_function_changes_nothing_in_its_own_result(name: str, data: st.DataObject) -> None:
    call = IDEMPOTENT[name].format(name)
    once = given_by(call, a=data.draw(TEXT))
    assert given_by(call, a=once) == once  # type: ignore[arg-type]


@given(TEXT, st.integers(-2, 6), st.integers(-2, 6))
def test_whatever_mid_gives_it_can_give(source: str, start: int, length: int) -> None:
    call = parse(f"Mid([a], {start}, {length})")
    assert Possibilities(lambda _name: "anything").can_be(call.root, evaluate(call, {"a": source}))  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["Now()", "CDate([a])", 'DateAdd("m", 1, [a])', "DateFromNum(NumFromDate([a]))"])
@given(date=DATES)
def test_whatever_a_date_function_gives_it_can_give(source: str, date: str) -> None:
    call = parse(source)
    try:
        result = evaluate(call, {"a": date}, now=MOMENT)
    except EvaluationError:
        return
    assert Possibilities(lambda _name: "anything").can_be(call.root, result)  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [one for one in FUNCTIONS.values() if one.run], ids=lambda one: one.name)
def test_only_a_function_that_gives_no_null_is_said_to_give_none(function: Function) -> None:
    nothing = ", ".join("[a]" for _ in range(max(function.least, 1)))
    try:
        result = given_by(f"{function.name}({nothing})")
    except EvaluationError:
        return
    assert result is not None or function.null
