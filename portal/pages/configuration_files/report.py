"""Microsoft's report on a file, line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.words.aws_fields import short_path
from sync.configuration.files import microsoft
from sync.configuration.files.ms_schema import ReportLine
from sync.rules import aws_fields

# In the order in which an admin wants to read them.
OUTCOMES = ("left_out", "changed", "taken")
PARTS = {
    "mapping": gettext_lazy("Mapping"),
    "filter": gettext_lazy("Filter"),
    "actions": gettext_lazy("Actions"),
    "rule": gettext_lazy("Rule"),
}
OBJECTS = {"user": gettext_lazy("People"), "group": gettext_lazy("Groups"), "": "–"}


@dataclass(frozen=True, slots=True)
class ReportedLine:
    """One line of Microsoft's report, as the page draws it."""

    name: str
    code: bool
    part: Any
    objects: Any
    outcome: str
    reasons: list[str]


def report_lines(lines: Sequence[ReportLine]) -> list[ReportedLine]:
    return [report_line(line) for line in sorted(lines, key=lambda line: OUTCOMES.index(line.outcome))]


def report_line(line: ReportLine) -> ReportedLine:
    known = bool(line.object_type) and aws_fields.is_target(line.name, line.object_type)
    return ReportedLine(
        name=short_path(line.name) if known else line.name or _("none"),
        code=line.part == "mapping",
        part=PARTS[line.part],
        objects=OBJECTS[line.object_type],
        outcome=line.outcome,
        reasons=[microsoft.note_sentence(note) for note in line.notes],
    )
