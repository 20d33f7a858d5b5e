"""Differences of two configurations, and what came of Microsoft's schema, as facts or in a line."""

from sync.configuration.editing import problem_sentence
from sync.configuration.files.microsoft import note_sentence
from sync.configuration.files.ms_schema import ReportLine
from sync.configuration.items import Difference
from sync.management.base import Report
from sync.models import Tenant
from sync.rules.rows import MappingProblem


def difference_facts(one: Difference) -> Report:
    before, after = (dict(side.facts) if side else None for side in (one.before, one.after))
    return {"key": one.key, "name": one.item.name, "before": before, "after": after}


def difference_line(facts: Report) -> str:
    """`+ key  name`, `- key  name`, or `~ key  fact: 'before' -> 'after'`."""
    before, after = facts["before"], facts["after"]
    if before is None or after is None:
        return f"{'+' if before is None else '-'} {facts['key']}  {facts['name']}"
    moved = [name for name, value in after.items() if before.get(name) != value]
    return f"~ {facts['key']}  " + ", ".join(f"{name}: {before.get(name)!r} -> {after[name]!r}" for name in moved)


def leavers_line(tenant: Tenant, problem: MappingProblem) -> str:
    """Who stays active in AWS, and what mends it."""
    return f"Warning: {problem_sentence(problem)} To mend it: disable_leavers {tenant.slug}"


def report_line(line: ReportLine) -> str:
    """`user name.givenName: left out. AWS has no such field.`"""
    reasons = " ".join(note_sentence(note) for note in line.notes)
    outcome = {"taken": "taken over", "changed": "taken over with a change", "left_out": "left out"}[line.outcome]
    return f"{line.object_type} {line.part} {line.name}: {outcome}. {reasons}".strip()
