"""`python -m sync.expressions.docs` writes docs/expressions.md from the table of functions."""

from datetime import UTC, datetime
from pathlib import Path

from sync.expressions.functions import FUNCTIONS, UNAVAILABLE, WORDS, Function
from sync.expressions.limits import LIMITS
from sync.expressions.values import Value

PAGE = Path(__file__).parents[2] / "docs" / "expressions.md"

# The person and the moment of every example.
PERSON: dict[str, Value] = {
    "accountEnabled": True,
    "city": "Berlin",
    "country": "Germany",
    "department": "Sales",
    "displayName": "Adele Vance",
    "givenName": "Adele",
    "mail": "adele@acme.example",
    "mailNickname": "adele",
    "otherMails": ["adele@home.example", "adele@club.example"],
    "state": "BE",
    "surname": "Vance",
    "userPrincipalName": "adele@acme.example",
}
MOMENT = datetime(2026, 11, 23, 18, 17, 2, tzinfo=UTC)

INTRODUCTION = f"""\
# Expressions

An expression computes the value of an AWS field from attributes of Entra. The language is the one of Microsoft Entra
provisioning: an expression that works there can be pasted here, if it uses the functions below.

<!-- Written by `python -m sync.expressions.docs` from sync/expressions/functions.py. Change it there. -->

## How it is written

| part | example | rule |
|---|---|---|
| function | `Join(" ", [givenName], [surname])` | Functions can stand inside functions. `join` is read too, and saved as `Join`. |
| attribute | `[surname]` | An attribute without a value is null. |
| text | `"Sales"` | Between double quotes. `\\"` is a quote inside the text, `\\\\` a backslash. |
| number | `3`, `-1.5`, `&HF` | Text made of digits works as a number, and a number as text. |
| left out | `Switch([x], , "a", "b")` | An argument that may be left out keeps its comma. It is not the empty text `""`. |
| comparison | `[country] = "Germany"` | `=`, `<>`, `>`, `>=`, `<`, `<=`. Upper and lower case are different. There is no AND or OR: put one `IIF` into another. |
| joining | `"t-" & [mailNickname]` | The same as `Append`. |

True and false are the texts `"True"` and `"False"`. Null equals the empty text in comparisons.
A result that is null or empty is not sent: AWS refuses empty texts.

An expression has at most {LIMITS.source:,} characters, {LIMITS.depth} functions inside each other and {LIMITS.nodes:,} parts;
evaluating it takes at most {LIMITS.steps:,} steps and makes no text longer than {LIMITS.output:,} characters.

## Functions
"""


def page() -> str:
    functions = "\n".join(section(function) for function in sorted(FUNCTIONS.values(), key=lambda one: one.name))
    return f"{INTRODUCTION}\n{functions}\n{words()}\n{unavailable()}"


def section(function: Function) -> str:
    result = f" gives `{function.gives}`" if function.gives else ""
    return f"### {function.name}\n\n`{function.signature}`\n\n{function.summary}\n\nExample: `{function.example}`{result}\n"


def words() -> str:
    rows = "\n".join(f"| `{word.name}` | {word.summary} |" for word in WORDS.values())
    return f"## Bare words\n\n| word | meaning |\n|---|---|\n{rows}\n"


def unavailable() -> str:
    names = ", ".join(f"`{name}`" for name in UNAVAILABLE)
    return f"## Not available yet\n\n`Replace` with a regular expression, {names}.\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
