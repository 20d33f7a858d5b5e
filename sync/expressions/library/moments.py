"""Dates: text in UTC, `M/d/yyyy h:mm:ss tt`. Null gives null everywhere."""

from collections.abc import Iterator, Sequence

from sync.expressions import dates, formats
from sync.expressions.errors import gettext_noop
from sync.expressions.table import Code, Complaint, Surroundings, function
from sync.expressions.tree import Call, Empty
from sync.expressions.values import Value, each_filled, is_empty, text, whole


@function(
    "Now",
    gettext_noop("The moment, in UTC, as 7/2/2021 3:33:38 PM."),
    "Now()",
    '"11/23/2026 6:17:02 PM"',
    lazy=True,
    result="date",
)
def now(evaluation: Surroundings, _arguments: Sequence[Code]) -> Value:
    return dates.written(dates.in_utc(evaluation.now))


@function(
    "CDate expression",
    gettext_noop("A date, in UTC, as 7/2/2021 3:33:38 PM, from the usual ways to write one."),
    'CDate("2009-06-15T01:45:30-07:00")',
    '"6/15/2009 8:45:30 AM"',
    notes=gettext_noop("A day without a time is midnight, at the offset if one is written. Null gives null."),
    result="date",
)
def c_date(expression: Value) -> Value:
    return each_filled(lambda found: dates.written(dates.read(found)), expression)


@function(
    "DateAdd interval value dateTime",
    gettext_noop("The date so much later. Intervals: yyyy year, m month, ww week, d day, h hour, n minute, s second."),
    'DateAdd("d", -10, CDate("2012-03-16"))',
    '"3/6/2012 12:00:00 AM"',
    notes=gettext_noop("A day that the month does not have becomes its last one. Null gives null."),
    result="date",
)
def date_add(interval: Value, value: Value, moment: Value) -> Value:
    return each_filled(lambda found: dates.written(dates.add(text(interval), whole(value), dates.read(found))), moment)


@function(
    "DateDiff interval date1 date2",
    gettext_noop("How often a new year, month, week (Sunday), day, hour, minute or second began from date1 to date2."),
    'DateDiff("h", CDate("2021-08-24"), CDate("2021-08-25"))',
    "24",
    notes=gettext_noop("Negative when date2 is earlier. Null gives null."),
    result="number",
)
def date_diff(interval: Value, date1: Value, date2: Value) -> Value:
    if is_empty(date1) or is_empty(date2):
        return None
    return dates.difference(text(interval), dates.read(text(date1)), dates.read(text(date2)))


@function(
    "DateFromNum value",
    gettext_noop("The date of a Windows file time, which counts 100 nanoseconds since 1601."),
    "DateFromNum(129699324000000000)",
    '"1/1/2012 11:00:00 PM"',
    notes=gettext_noop("Null gives null."),
    result="date",
)
def date_from_num(value: Value) -> Value:
    return None if is_empty(value) else dates.written(dates.from_file_time(whole(value)))


@function(
    "NumFromDate value",
    gettext_noop("A date as Windows file time, which counts 100 nanoseconds since 1601."),
    'NumFromDate("2012-01-01T23:00:00Z")',
    "129699324000000000",
    notes=gettext_noop("Null gives null."),
    result="number",
)
def num_from_date(value: Value) -> Value:
    return None if is_empty(value) else dates.file_time(dates.read(text(value)))


NO_FORMAT = gettext_noop("FormatDateTime needs an inputFormat and an outputFormat, such as yyyy-MM-dd.")


def formats_given(call: Call, _source: str) -> Iterator[Complaint]:
    """Cloud sync writes it with three arguments, without the styles."""
    for argument in call.arguments[-2:]:
        if isinstance(argument, Empty):
            yield argument.at, NO_FORMAT, {}


@function(
    "FormatDateTime source dateTimeStyles? inputFormat outputFormat?",
    gettext_noop("A date from one way to write it into another, by .NET's format strings."),
    'FormatDateTime("20150123105347.1Z", , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")',
    '"2015-01-23"',
    notes=gettext_noop(
        "dateTimeStyles may be left out altogether: FormatDateTime(source, inputFormat, outputFormat). Null gives null."
    ),
    lazy=True,
    check=formats_given,
)
def format_date_time(evaluation: Surroundings, arguments: Sequence[Code]) -> Value:
    source, *rest = (argument(evaluation) for argument in arguments)
    styles, given, wanted = map(text, [None, *rest][-3:])
    return each_filled(
        lambda found: formats.changed(found, styles, given, wanted, dates.in_utc(evaluation.now)), source
    )
