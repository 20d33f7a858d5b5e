"""Where Python's own patterns mean what .NET's mean, both find the same first match with the same groups."""

import re
from random import Random

import pytest

from sync.expressions.patterns import compiled

pytestmark = pytest.mark.pure

ATOMS = (
    *(
        "a",
        "b",
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\W",
        r"\D",
        r"\S",
        "[ab]",
        "[^a]",
        r"[\w-]",
        r"[^\s\d]",
        r"\n",
        "é",
        "[a-é]",
    ),
    *("$", "^", r"\A", "-", r"\.", "[]]", "(?:a|b)", "(?i:B)", "(?s:.)"),
)
LETTERS = "aabbB1 -\n\n.é_٣]"


def pattern(random: Random, depth: int = 1) -> str:
    parts = []
    for _ in range(random.randint(1, 3)):
        part = random.choice(ATOMS)
        if depth and random.random() < 0.3:
            part = f"({pattern(random, depth - 1)}|{pattern(random, depth - 1)})"
        quantifier = random.choice(("", "", "", "?", "{1,2}", "??")) if part not in ("$", "^", r"\A") else ""
        parts.append(part + quantifier)
    return "".join(parts)


def spans_of_re(source: str, text: str) -> list[tuple[int, int]] | None:
    found = re.search(source, text)
    return [found.span(number) for number in range(found.re.groups + 1)] if found else None


def spans_of_ours(source: str, text: str) -> list[tuple[int, int]] | None:
    found = next(compiled(source).matches(text, lambda _steps: None), None)
    return [found.found.span(number) for number in range(len(found.pattern.groups) + 1)] if found else None


@pytest.mark.parametrize("seed", range(4))
def test_both_find_the_same(seed: int) -> None:
    random = Random(seed)
    for _ in range(300):
        source = pattern(random)
        for _ in range(5):
            text = "".join(random.choices(LETTERS, k=random.randint(0, 12)))
            assert spans_of_ours(source, text) == spans_of_re(source, text), f"{source!r} in {text!r}"
