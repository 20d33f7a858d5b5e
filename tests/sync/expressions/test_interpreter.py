"""One evaluation: clock, chance, limits, what is left alone, and every input it was given."""

from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest

from sync.expressions import IGNORE, IGNORE_OBJECT, EvaluationError, ExpressionLimits, Value, evaluate, parse

pytestmark = pytest.mark.pure


class Counting(dict[str, Value]):
    """Attributes that remember who asked for them."""

    def __init__(self, *args: object, **attributes: Value) -> None:
        super().__init__(*args, **attributes)  # type: ignore[arg-type]
        self.read: list[str] = []

    def get(self, name: str, default: Value = None) -> Value:  # type: ignore[override]
        self.read.append(name)
        return super().get(name, default)


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ('IIF([a] = "x", [b], [c])', ["a", "b"]),
        ('IIF([a] = "y", [b], [c])', ["a", "c"]),
        ('Switch([a], [d], "x", [b], [c], [d])', ["a", "b"]),
        ('Switch([a], [d], "y", [b])', ["a", "d"]),
        ("Coalesce([none], [a], [b])", ["none", "a"]),
        ('Replace([a], , "(?<g>.)", "g", , [b], )', ["a"]),
    ],
)
def test_only_the_branch_that_is_needed_is_evaluated(source: str, read: list[str]) -> None:
    attributes = Counting(a="x", b="1", c="2", d="3")
    evaluate(parse(source), attributes)
    assert attributes.read == read


def test_an_unchanged_attribute_is_never_seen_as_null() -> None:
    """Microsoft's delta bug: there Switch over an attribute that did not change gives the value for null."""
    expression = parse('Switch([state], "none", "BE", [city], "", "lost")')
    before = {"state": "BE", "city": "Berlin", "title": "old"}
    assert evaluate(expression, before) == "Berlin"
    assert evaluate(expression, {**before, "title": "new"}) == "Berlin"


def test_the_clock_is_the_callers_and_dates_are_utc() -> None:
    expression = parse("Now()")
    berlin = timezone(timedelta(hours=1))
    assert evaluate(expression, {}, now=datetime(2026, 11, 23, 19, 17, 2, tzinfo=berlin)) == "11/23/2026 6:17:02 PM"
    assert evaluate(expression, {}, now=datetime(2026, 11, 23, 0, 5, tzinfo=UTC)) == "11/23/2026 12:05:00 AM"


def test_one_evaluation_has_one_moment() -> None:
    assert evaluate(parse('DateDiff("s", Now(), Now())'), {}) == 0


def test_chance_is_the_callers() -> None:
    for source in ("Guid()", "RandomString(10, 2, 2, 2, 1)"):
        first, second = (evaluate(parse(source), {}, random=Random(7)) for _ in range(2))
        assert first == second != evaluate(parse(source), {}, random=Random(8))


RULES = parse(
    'SelectUniqueValue(Join(".", [givenName], [surname]), Append(Left([givenName], 1), [surname]), [nickname], "last")'
)
JOHN: dict[str, Value] = {"givenName": "John", "surname": "Smith", "nickname": ""}


@pytest.mark.parametrize(
    ("taken", "chosen"),
    [(set(), "John.Smith"), ({"John.Smith"}, "JSmith"), ({"John.Smith", "JSmith"}, "last")],
)
def test_the_first_value_that_nobody_has_is_selected(taken: set[str], chosen: str) -> None:
    assert evaluate(RULES, JOHN, taken=taken.__contains__) == chosen


def test_when_every_value_is_taken_the_object_is_not_written() -> None:
    with pytest.raises(EvaluationError, match="All 4 values exist in AWS already"):
        evaluate(RULES, JOHN, taken=lambda _value: True)


def test_values_after_the_chosen_one_are_not_asked_for() -> None:
    asked: list[str] = []
    evaluate(RULES, JOHN, taken=lambda value: bool(asked.append(value)))
    assert asked == ["John.Smith"]


def test_an_expression_says_whether_logs_must_not_show_its_value() -> None:
    assert parse('Append("a", REDACT([surname]))').redacted
    assert not parse('Append("Redact(", [surname])').redacted


def test_the_attribute_or_the_object_is_left_alone_however_deep_it_was_decided() -> None:
    assert evaluate(parse('Append("x", IIF([a] = "", ignoreattributeflow, [a]))'), {}) is IGNORE
    assert evaluate(parse('Append("x", IIF([a] = "", IgnoreObjectFlow, [a]))'), {}) is IGNORE_OBJECT


def test_an_error_function_stops_with_its_words() -> None:
    with pytest.raises(EvaluationError, match="The expression says: No mail for Zoë"):
        evaluate(parse('Coalesce([mail], Error(Append("No mail for ", [name])))'), {"name": "Zoë"})


def test_an_empty_list_is_null() -> None:
    assert evaluate(parse("Coalesce([none], 1)"), {"none": []}) == 1
    assert evaluate(parse("Append([none], [none])"), {"none": []}) == ""


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e300])
def test_numbers_that_json_should_not_hold_are_text_or_an_error(number: float) -> None:
    assert isinstance(evaluate(parse('Append([n], "")'), {"n": number}), str)
    with pytest.raises(EvaluationError):
        evaluate(parse('DateAdd("d", [n], "2026-01-01")'), {"n": number})


def test_long_values_cost_steps() -> None:
    expression = parse('Join(",", ' + ", ".join(["ToUpper([x])"] * 100) + ")")
    with pytest.raises(EvaluationError, match="more than 20000 steps"):
        evaluate(expression, {"x": "a" * 9_000}, limits=ExpressionLimits(output=10_000_000))


def test_an_attribute_larger_than_the_limit_is_refused_with_a_place() -> None:
    with pytest.raises(EvaluationError, match="more than 100000 characters") as caught:
        evaluate(parse('Append("x",\n [x])'), {"x": "a" * 100_001})
    assert (caught.value.line, caught.value.column) == (1, 1)
    with pytest.raises(EvaluationError, match="more than 100000 characters"):
        evaluate(parse("[x]"), {"x": "a" * 100_001})


def test_a_failure_is_placed_at_the_function_that_met_it() -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(parse('Append("x",\n  Left("abc", [n]))'), {"n": "many"})
    assert (caught.value.line, caught.value.column) == (2, 3)


def test_comparisons_of_what_differs_only_in_layout_are_equal() -> None:
    assert parse('Join(" ",[a],[b])') == parse('Join( " ", [a], [b] )')
