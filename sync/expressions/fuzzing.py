"""Seeded random programs of the language: whatever they are, an evaluation ends within its limits.

Each is read, saved, read again and evaluated. Allowed are a value and an ExpressionError with a place, nothing else.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from time import perf_counter

from sync.expressions import check, format, parse  # noqa: A004
from sync.expressions.errors import EvaluationError, ExpressionError
from sync.expressions.functions import FUNCTIONS, WORDS
from sync.expressions.interpreter import Expression, Ignored, Interpreter
from sync.expressions.limits import LIMITS
from sync.expressions.possible import AttributeKind, Possibilities
from sync.expressions.table import Function
from sync.expressions.values import Value, size, truth

MOMENT = datetime(2026, 11, 23, 18, 17, 2, tzinfo=UTC)
ATTRIBUTES: dict[str, Value] = {
    "name": "Zoë O'Connor",
    "mail": "zoe@acme.example",
    "empty": "",
    "many": ["smtp:a@x", "SMTP:b@x", "c"],
    "none": [],
    "number": 7,
    "broken": float("nan"),
    "true": True,
    "date": "2020-03-16-07:00",
    "long": "ab \n" * 800,
    "strange": "\ud800\0💥\ufdd0é\n",
    "roles": ['{"id":"1","displayName":"Admin"}', "User", "[", '{"id": 1'],
}


def kind_of(name: str) -> AttributeKind:
    return "boolean" if name == "true" else "anything"


TEXTS = (
    *("", "x", " ", ",", "True", "5", "-1", "0.5", "99999999999999999999", "2026-11-23", "3/16/2020 7:00:00 AM"),
    *("d", "m", "yyyy", "ww", "yyyy-MM-dd", "HH:mm:ss zzz", "%", "g", "AllowWhiteSpaces", "utf8", "tr-TR"),
    *(
        r"\\d+",
        "(?<g>a|b)",
        "(a*)*b",
        "[^a-z]+",
        r"(?i)\\w{2,5}?",
        "(.*)*$",
        "(?=x)",
        "[a-z-[m]]",
        r"\\p{Lu}",
        "a{2000}",
    ),
    *("${g}", "$1", "$", "g", "SABp", "cn=x\\\\,y,ou=z", "\\+("),
)
NUMBERS = ("0", "1", "3", "-1", "1.5", "&HFF", "256", "99999999999", "129699324000000000")
ALL = tuple(FUNCTIONS.values())
SIGNS = ("=", "<>", ">", ">=", "<", "<=", "&", "&")
CHANCE = Random(1)  # noqa: S311 - to be had again
NOISE = '()[],"\\&=<>\n aé\0💥x1-.'


class BrokenPromise(Exception):
    """A promise of the language that did not hold."""


def hold(promise: bool, words: str) -> None:
    if not promise:
        raise BrokenPromise(words)


@dataclass
class Report:
    programs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    most_steps: int = 0
    slowest: float = 0.0  # seconds
    slowest_program: str = ""
    faults: list[str] = field(default_factory=list)


def programs(random: Random) -> Iterator[str]:
    while True:
        source = expression(random, random.randint(1, 6))
        yield mutated(random, source) if random.random() < 0.1 else source


def expression(random: Random, depth: int) -> str:
    """Mostly calls that the checks let pass, so that functions get to run."""
    chance = random.random()
    if depth == 0 or chance < 0.25:
        return leaf(random)
    if chance < 0.32:
        return f"{operand(random, depth)} {random.choice(SIGNS)} {operand(random, depth)}"
    return call(random, random.choice(ALL), depth)


def operand(random: Random, depth: int) -> str:
    return leaf(random) if random.random() < 0.5 else call(random, random.choice(ALL), depth)


def leaf(random: Random) -> str:
    kind = random.random()
    if kind < 0.4:
        return f"[{random.choice([*ATTRIBUTES, 'missing'])}]"
    if kind < 0.8:
        return f'"{random.choice(TEXTS)}"'
    return random.choice(NUMBERS) if kind < 0.97 else random.choice([word.name for word in WORDS.values()])


def call(random: Random, function: Function, depth: int) -> str:
    if function.name == "Replace" and random.random() < 0.9:
        return replacement(random, depth)
    count = random.randint(function.least, function.least if function.most is None else function.most)
    count += len(function.repeats) * random.choice((0, 0, 1, 3)) if function.repeats else 0
    given = [argument(random, function.parameter(place), depth - 1) for place in range(count)]
    name = function.name.upper() if random.random() < 0.02 else function.name
    return f"{name}({', '.join(given)})"


def argument(random: Random, parameter: str, depth: int) -> str:
    return "" if parameter.endswith("?") and random.random() < 0.3 else expression(random, depth)


def replacement(random: Random, depth: int) -> str:
    """In one of the five forms."""
    form = random.choice(("o--r--", "o----t", "-p-r--", "-pgr--", "-pg-a-"))
    fixed = {"p": f'"{random.choice(TEXTS)}"', "g": '"g"'}
    given = [fixed.get(one) or expression(random, depth - 1) if one != "-" else "" for one in form]
    return f"Replace({', '.join([expression(random, depth - 1), *given])})"


def mutated(random: Random, source: str) -> str:
    place = random.randrange(len(source))
    return source[:place] + random.choice(NOISE) + source[place + random.randint(0, 2) :]


def run(count: int, seed: int, tell: Callable[[int], None] = lambda done: None) -> Report:
    """`tell` is called after every 10,000 programs."""
    random, report = Random(seed), Report()  # noqa: S311 - to be had again
    for source in programs(random):
        try_one(source, report)
        if report.programs % 10_000 == 0:
            tell(report.programs)
        if report.programs == count:
            break
    return report


def try_one(source: str, report: Report) -> None:
    began = perf_counter()
    try:
        result = outcome(source, report)
    except Exception as error:  # noqa: BLE001 - this is what the search is for
        result = "fault"
        report.faults.append(f"{type(error).__name__} {error}: {source!r}")
    seconds = perf_counter() - began
    report.programs += 1
    report.outcomes[result] += 1
    if seconds > report.slowest:
        report.slowest, report.slowest_program = seconds, source


def outcome(source: str, report: Report) -> str:
    try:
        program = parse(source)
    except ExpressionError as error:
        hold(check(source)[0].args == error.args, "parse and check say different things")
        return refused(error, source)
    for problem in check(source, kind_of=kind_of):
        refused(problem, source)
    saved = format(program)
    hold(saved == source.strip() or format(parse(saved)) == saved, "the saved form is not final")
    return evaluated(program, report)


def evaluated(program: Expression, report: Report) -> str:
    evaluation = Interpreter(ATTRIBUTES, MOMENT, CHANCE, lambda value: len(value) % 2 == 0, LIMITS)
    try:
        value = program.code(evaluation)
    except Ignored:
        return "ignored"
    except EvaluationError as error:
        return refused(error, program.source)
    hold(evaluation.steps <= LIMITS.steps, "more steps than the limit")
    hold(size(value) <= LIMITS.output, "a larger value than the limit")
    foreseen(program, value)
    report.most_steps = max(report.most_steps, evaluation.steps)
    return "value"


def foreseen(program: Expression, value: Value) -> None:
    """What is certain before any data is seen holds once it is."""
    known = Possibilities(kind_of)
    if isinstance(value, list):
        hold(known.values(program.root) is None, "a list among the possible values")
        return
    if value != value:  # noqa: PLR0124 - the one that is not a number, which no program can name
        return
    hold(known.can_be(program.root, value, as_text=True), "a value that cannot be")
    hold(truth(value) in known.truths(program.root), "a condition that cannot be")
    hold(value is not None or known.can_be_null(program.root), "null where it cannot be")


def refused(error: ExpressionError, source: str) -> str:
    lines = source.split("\n")
    hold(1 <= error.line <= len(lines), "no such line")
    hold(1 <= error.column <= len(lines[error.line - 1]) + 1, "no such column")
    hold(error.message != "", "no message")
    return "unfit data" if isinstance(error, EvaluationError) else "refused"
