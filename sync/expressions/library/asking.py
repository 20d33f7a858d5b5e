"""Questions with the answer true or false."""

from sync.expressions.errors import gettext_noop
from sync.expressions.table import function
from sync.expressions.values import Value, is_empty, text, truth


@function(
    "IsNull expression",
    gettext_noop("True when there is no value. An empty text is a value."),
    "IsNull([fax])",
    "true",
    result="boolean",
)
def is_null(value: Value) -> Value:
    return value is None


@function(
    "IsNullOrEmpty expression",
    gettext_noop("True when there is no value or an empty text."),
    "IsNullOrEmpty([fax])",
    "true",
    result="boolean",
)
def is_null_or_empty(value: Value) -> Value:
    return is_empty(value)


@function(
    "IsPresent expression",
    gettext_noop("True when there is a value that is not empty."),
    "IsPresent([mail])",
    "true",
    result="boolean",
)
def is_present(value: Value) -> Value:
    return not is_empty(value)


@function(
    "IsString expression",
    gettext_noop("True when CStr can make a text of the value."),
    "IsString([mail])",
    "true",
    notes=gettext_noop("False for null and for several values."),
    result="boolean",
)
def is_string(value: Value) -> Value:
    return value is not None and not (isinstance(value, list) and len(value) > 1)


@function(
    "Not source",
    gettext_noop('"False" for "True"; "True" for anything else.'),
    'Not("True")',
    '"False"',
    result="boolean",
)
def not_(source: Value) -> Value:
    return "False" if text(source) == "True" else "True"


@function(
    "CBool expression",
    gettext_noop("True for true and for numbers other than 0, else false."),
    "CBool([state] = [city])",
    "false",
    notes=gettext_noop("The argument may be a comparison."),
    result="boolean",
)
def c_bool(value: Value) -> Value:
    return truth(value)
