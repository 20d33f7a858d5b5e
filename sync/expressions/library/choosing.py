"""One of several values. Only the branch that is needed is evaluated."""

from collections.abc import Sequence

from sync.expressions.errors import Failure, gettext_noop
from sync.expressions.table import Code, Surroundings, function
from sync.expressions.values import Ignore, Value, is_empty, text, truth


@function(
    "IIF condition valueIfTrue valueIfFalse",
    gettext_noop("One of two values. The condition compares with =, <>, >, >=, < or <=, or gives true or false."),
    'IIF([country] = "Germany", "DE", "other")',
    '"DE"',
    notes=gettext_noop(
        "Only the chosen value is worked out. For AND and OR put one IIF into another. "
        "A condition that comes out the same for everybody is refused when the mapping is saved."
    ),
    lazy=True,
    result="argument",
)
def iif(evaluation: Surroundings, arguments: Sequence[Code]) -> Value:
    condition, if_true, if_false = arguments
    return if_true(evaluation) if truth(condition(evaluation)) else if_false(evaluation)


@function(
    "Switch source defaultValue?",
    gettext_noop("The value after the first key equal to the source, else the default."),
    'Switch([state], "Elsewhere", "BE", "Berlin", "BY", "Bavaria")',
    '"Berlin"',
    repeats="key value",
    notes=gettext_noop(
        'Upper and lower case differ. Null and empty equal the key "". Without a default the result is null.'
    ),
    lazy=True,
    result="argument",
)
def switch(evaluation: Surroundings, arguments: Sequence[Code]) -> Value:
    source = text(arguments[0](evaluation))
    for place in range(2, len(arguments), 2):
        if source == text(arguments[place](evaluation)):
            return arguments[place + 1](evaluation)
    return arguments[1](evaluation)


@function(
    "Coalesce",
    gettext_noop("The first value that is not null."),
    'Coalesce([mail], [userPrincipalName], "none")',
    '"adele@acme.example"',
    repeats="source?",
    notes=gettext_noop("An empty text counts as a value. Null when every value is."),
    lazy=True,
    result="argument",
)
def coalesce(evaluation: Surroundings, arguments: Sequence[Code]) -> Value:
    for argument in arguments:
        value = argument(evaluation)
        if value is not None:
            return value
    return None


@function(
    "IgnoreFlowIfNullOrEmpty expression",
    gettext_noop("The value; where it is null or empty, the attribute in AWS stays as it is."),
    "IgnoreFlowIfNullOrEmpty([department])",
    '"Sales"',
    notes=gettext_noop("It is no condition: put it around the whole, as in IgnoreFlowIfNullOrEmpty(IIF(…))."),
    lazy=True,
    result="argument",
)
def ignore_flow_if_null_or_empty(evaluation: Surroundings, arguments: Sequence[Code]) -> Value:
    value = arguments[0](evaluation)
    if is_empty(value):
        evaluation.ignore(Ignore.ATTRIBUTE)
    return value


ALL_TAKEN = gettext_noop("All %(count)d values exist in AWS already. Add another rule to SelectUniqueValue.")


@function(
    "SelectUniqueValue uniqueValueRule",
    gettext_noop("The first value that nobody in AWS has."),
    'SelectUniqueValue(Append([givenName], "@x.example"), Append([surname], "@x.example"))',
    '"Adele@x.example"',
    repeats="anotherRule",
    notes=gettext_noop(
        "Only as the outermost function, only when the person is created, and not in a field that is matched on. "
        "Empty values are passed over; when every value is taken, the person is not created. "
        "Taken is what somebody else has in AWS or is to get, in a user name, e-mail, group name or external ID."
    ),
    lazy=True,
    steady=False,
    top=True,
)
def select_unique_value(evaluation: Surroundings, arguments: Sequence[Code]) -> Value:
    for argument in arguments:
        value = text(argument(evaluation))
        if value and not evaluation.taken(value):
            return value
    raise Failure(ALL_TAKEN, count=len(arguments))


ERROR = gettext_noop("The expression says: %(message)s")


@function(
    "Error message",
    gettext_noop("Stops with this text as the reason: the object is not written."),
    'IIF(IsPresent([mail]), [mail], Error("No mail address"))',
    '"adele@acme.example"',
)
def error(message: Value) -> Value:
    raise Failure(ERROR, message=text(message)[:200])


@function(
    "Redact value",
    gettext_noop("The value, sent as it is and marked as one that logs must not show."),
    "Redact([surname])",
    '"Vance"',
    notes=gettext_noop("Pages, logs and exports show [Redact] in its place. AWS gets the value."),
    result="argument",
)
def redact(value: Value) -> Value:
    return value
