"""Replace, whose arguments decide what it does."""

from collections.abc import Iterator, Sequence

from sync.expressions.dotnet import PatternError
from sync.expressions.errors import Failure, gettext_noop
from sync.expressions.patterns import Pattern, compiled, expanded
from sync.expressions.table import Code, Complaint, Surroundings, function, left_out
from sync.expressions.tokens import offset_in_text
from sync.expressions.tree import Call, Empty, Node, Text
from sync.expressions.values import Value, is_empty, text

FORMS = gettext_noop(
    "Replace needs oldValue with a replacementValue or a template, or regexPattern with a replacementValue, "
    "or regexPattern and regexGroupName with a replacementValue or a replacementAttributeName."
)
NO_GROUP = gettext_noop("The pattern has no group %(name)s.")
# Which of oldValue, regexPattern, regexGroupName, replacementValue, replacementAttributeName, template are given.
KNOWN_FORMS = {"o--r--", "o----t", "-p-r--", "-pgr--", "-pg-a-"}


def right_form(call: Call, source: str) -> Iterator[Complaint]:
    given = [not isinstance(argument, Empty) for argument in call.arguments[1:]] + [False] * 6
    form = "".join(letter if there else "-" for letter, there in zip("opgrat", given, strict=False))
    if form not in KNOWN_FORMS:
        yield call.at, FORMS, {}
    elif form[1] == "p":
        yield from right_pattern(call.arguments[2], call.arguments[3], source)


def right_pattern(pattern: Node, group: Node, source: str) -> Iterator[Complaint]:
    """A pattern that is written out is checked before any object comes."""
    if not isinstance(pattern, Text):
        return
    try:
        known = compiled(pattern.value)
    except PatternError as error:
        yield offset_in_text(source, pattern.at, error.at), error.template, error.params
        return
    if isinstance(group, Text) and not known.numbers(group.value):
        yield group.at, NO_GROUP, {"name": group.value[:40]}


@function(
    "Replace source oldValue? regexPattern? regexGroupName? replacementValue? replacementAttributeName? template?",
    gettext_noop("Replaces parts of a text, by what they are or by a .NET pattern."),
    'Replace([mail], , "(?<host>@.*)", "host", "@aws.example", , )',
    '"adele@aws.example"',
    notes=gettext_noop(
        "oldValue and replacementValue: every oldValue in the source is replaced; upper and lower case differ. "
        "oldValue and template: every oldValue in the template becomes the source. "
        "regexPattern and replacementValue: every match is replaced; ${name} and $1 stand for groups. "
        "regexPattern, regexGroupName and replacementValue: only the text of that group is replaced. "
        "regexPattern, regexGroupName and replacementAttributeName: the source; if it is empty, "
        "the group found in the other attribute. Null gives null. Without a match the source stays as it is."
    ),
    lazy=True,
    check=right_form,
)
def replace(evaluation: Surroundings, arguments: Sequence[Code]) -> Value:
    given = [*arguments, *[left_out] * (7 - len(arguments))]
    source, old, pattern, group, replacement, attribute, template = given
    value = source(evaluation)
    if attribute is not left_out:
        return value if not is_empty(value) else extracted(evaluation, pattern, group, attribute(evaluation))
    if value is None:
        return None
    if pattern is not left_out:
        wanted = text(replacement(evaluation))
        return substituted(evaluation, text(value), needed(evaluation, pattern, group), wanted)
    if template is not left_out:
        return replaced(evaluation, text(template(evaluation)), old, text(value))
    return replaced(evaluation, text(value), old, text(replacement(evaluation)))


def replaced(evaluation: Surroundings, inside: str, old: Code, new: str) -> str:
    wanted = text(old(evaluation))
    if not wanted:
        return inside
    evaluation.measure(len(inside) + inside.count(wanted) * len(new))
    return inside.replace(wanted, new)


def needed(evaluation: Surroundings, pattern: Code, group: Code) -> tuple[Pattern, str]:
    """The pattern, and the name of the group or "0" for the whole match."""
    try:
        known = compiled(text(pattern(evaluation)))
    except PatternError as error:
        raise Failure(error.template, **error.params) from error
    evaluation.step(known.cost)
    name = "0" if group is left_out else text(group(evaluation))
    if not known.numbers(name):
        raise Failure(NO_GROUP, name=name[:40])
    return known, name


def extracted(evaluation: Surroundings, pattern: Code, group: Code, other: Value) -> Value:
    if is_empty(other):
        return None
    known, name = needed(evaluation, pattern, group)
    match = next(known.matches(text(other), evaluation.step), None)
    return match.group(name) if match else None


def substituted(evaluation: Surroundings, source: str, wanted: tuple[Pattern, str], replacement: str) -> str:
    (pattern, group), at, written, length = wanted, 0, [], len(source)
    for match in pattern.matches(source, evaluation.step):
        span = match.span_of(group)
        if span is None:
            continue
        new = expanded(replacement, match)
        length += len(new)
        evaluation.measure(length)
        written += [source[at : span[0]], new]
        at = span[1]
    return "".join([*written, source[at:]])
