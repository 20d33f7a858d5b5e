"""`python -m sync.expressions.docs` writes docs/expressions.md from the table of functions."""

from datetime import UTC, datetime
from pathlib import Path

from sync.expressions.dotnet import NOT_IN_RE2
from sync.expressions.functions import CONNECT, CONNECT_INSTEAD, FUNCTIONS, INSTEAD, UNAVAILABLE, WORDS
from sync.expressions.limits import LIMITS
from sync.expressions.table import Function
from sync.expressions.values import Value

PAGE = Path(__file__).parents[2] / "docs" / "expressions.md"

# The person and the moment of every example.
PERSON: dict[str, Value] = {
    "accountEnabled": True,
    "appRoleAssignments": ['{"id":"1","value":"admin","displayName":"Admin"}'],
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
provisioning, as [Microsoft's reference](https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data)
describes it: an expression that works there can be pasted here. What cannot be taken over is refused when the mapping is
saved, with its place and the reason:

- patterns of `Replace` with look-around, back references, `\\b` and a few more, see [Patterns](#patterns);
- `DefaultDomain` and the functions of Microsoft Entra Connect, see [Names that cannot be used](#names-that-cannot-be-used);
- conditions, comparisons and keys that come out the same for everybody, see [Conditions](#conditions);
- mappings that name `[appRoleAssignments]`, and attributes that are not read from Entra.

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
Every expression is worked out from all attributes of the object, not only from those that changed.

An expression has at most {LIMITS.source:,} characters, {LIMITS.depth} functions inside each other and {LIMITS.nodes:,} parts;
evaluating it takes at most {LIMITS.steps:,} steps and makes no text longer than {LIMITS.output:,} characters.

Try one: `python3 run.py expression 'Join(" ", [givenName], [surname])' --input '{{"givenName": "Adele"}}'`. With
`--vectors FILE` it checks a list of cases, as in `tests/samples/expressions.json`.

"""

CONDITIONS = """\
## Conditions

A condition that is never true, or always, is a mistake that nobody would see: the field gets the same value for everybody. It
is refused when the mapping is saved, with the reason, as far as it is certain before any data is seen:

| written | why it is refused |
|---|---|
| `IIF(IgnoreFlowIfNullOrEmpty([country]), …)` | it decides whether the field is written and is no condition: `IgnoreFlowIfNullOrEmpty(IIF(…))`; the same inside a comparison, a question such as `IsPresent`, and as the source of `Switch`; `Join` and `Coalesce` pass over empty values by themselves |
| `IIF([department], …)` | a text is not true or false: `IsPresent([department])` |
| `IIF([accountEnabled] = "true", …)`, `Switch(IsPresent([mail]), , "true", …)` | true and false are `"True"` and `"False"` |
| `IIF(ToLower([country]) = "Germany", …)`, `Left([city], 2) = "Bonn"` | the function never gives that text |
| `IIF(InStr([mail], "@") < 0, …)` | `InStr`, `Len` and `Count` give whole numbers from 0 |
| `IIF(CDate([employeeHireDate]) > Now(), …)` | dates are texts here, of which the greater one is not the later one: `DateDiff("d", Now(), [employeeHireDate]) > 0` |
| `IIF([city] > "", …)` | nothing is greater or less than an empty text: `IsPresent([city])` |

What was saved before this was checked goes on being evaluated, and the table of mappings shows the reason beside it.

"""

PATTERNS = r"""## Patterns

The patterns of `Replace` are .NET's. They run on [RE2](https://github.com/google/re2), whose time grows with the text
alone, so that no pattern can hang a run. What RE2 means differently is translated; what it has not is refused when the
mapping is saved.

| in the pattern | here |
|---|---|
| `\d` `\w` `\s` `\D` `\W` `\S` | as in .NET: of all scripts, not only ASCII |
| `$` `\Z` | at the end, and before a last line break; `\z` only at the end |
| `.` | everything but a line break |
| `(?<name>…)` `(?'name'…)` | named groups; a name may stand for several groups. `$1` counts groups without a name first |
| `[a-z-[aeiou]]` | subtraction; not together with the option `i` |
| `\p{Lu}` `\P{L}` | general categories; no blocks such as `IsGreek` |
| `\x41` `\u00e9` `\cA` `\033` `\t` … | characters |
| `(?i)` `(?m)` `(?s)` `(?n)` `(?x)` `(?i:…)` `(?#…)` | options and comments |
| `*` `+` `?` `{2,5}` and `*?` … | repetition, up to 1,000 times |
| REFUSED | refused: put what you need into groups |

In replacements: `${name}`, `$1`, `$&`, `$$`, ``$` ``, `$'`, `$+`, `$_`.

## Functions
""".replace("REFUSED", " ".join(f"`{part}`" for part in NOT_IN_RE2))


def page() -> str:
    functions = "\n".join(section(function) for function in sorted(FUNCTIONS.values(), key=lambda one: one.name))
    return f"{INTRODUCTION}{CONDITIONS}{PATTERNS}\n{functions}\n{words()}\n{unavailable()}"


def section(function: Function) -> str:
    result = f" gives `{function.gives}`" if function.gives else ""
    text = f"{function.summary} {function.notes}".strip()
    return f"### {function.name}\n\n`{function.signature}`\n\n{text}\n\nExample: `{function.example}`{result}\n"


def words() -> str:
    rows = "\n".join(f"| `{word.name}` | {word.summary} |" for word in WORDS.values())
    return f"## Bare words\n\n| word | meaning |\n|---|---|\n{rows}\n"


def unavailable() -> str:
    own = [name for name, template in UNAVAILABLE.items() if template not in (CONNECT, CONNECT_INSTEAD)]
    lines = "\n".join(f"- {UNAVAILABLE[name] % {'name': f'`{name}`'}}" for name in own)
    connect = ", ".join(f"`{name}`" for name, template in UNAVAILABLE.items() if template == CONNECT)
    instead = ", ".join(f"`{name}` (take `{other}`)" for name, other in INSTEAD.items())
    return (
        f"## Names that cannot be used\n\n{lines}\n\n"
        f"Microsoft documents for Microsoft Entra Connect, not for provisioning: {connect}, {instead}.\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
