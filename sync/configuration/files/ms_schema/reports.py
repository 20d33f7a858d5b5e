"""What became of each part of a schema, and why. Sentences are for translation, as in sync/rules/mapping.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sync.expressions.errors import gettext_noop
from sync.rules import filter_checks
from sync.rules.rows import MappingProblem

Problem = MappingProblem | filter_checks.FilterProblem
Outcome = Literal["taken", "changed", "left_out"]

MESSAGES: dict[str, str] = {
    # Reading: taken over with a change
    "target-spelled": gettext_noop("“%(written)s” is spelled %(name)s here."),
    "source-renamed": gettext_noop("The attribute “%(written)s” is called %(name)s here."),
    "expression-spelled": gettext_noop("Names in the expression are spelled as they are here: %(source)s"),
    "only-when-created": gettext_noop("Microsoft's “ObjectAddOnly” is “Only when created” here."),
    "flow-always": gettext_noop("“FlowAlways” is not needed: what differs in AWS is written."),
    "matching-dropped": gettext_noop("People are not matched by it any more. %(problem)s"),
    "matching-order": gettext_noop("Its place in matching is %(place)d instead of %(priority)d."),
    "random-create": gettext_noop("The value is another one each time, so it is written only when created."),
    "source-none": gettext_noop("It has no source: AWS keeps what it holds, and an empty field gets the default."),
    "groups-off": gettext_noop("The mapping of groups is switched off, so groups get no actions here."),
    "people-off": gettext_noop("The mapping of people is switched off, so people get no actions here."),
    # Reading: left out
    "not-a-mapping": gettext_noop("This is no attribute mapping."),
    "no-target": gettext_noop("It names no field."),
    "roles": gettext_noop("AWS IAM Identity Center has no app roles; permission sets are assigned in AWS."),
    "unknown-target": gettext_noop("AWS has no such field."),
    "duplicate-target": gettext_noop("Another mapping for the same field stands before it."),
    "second-item": gettext_noop("AWS takes a single item in %(list)s, and “%(other)s” fills it already."),
    "flow-type": gettext_noop(
        "“%(flow)s” adds to what AWS holds and never takes away. There is nothing like it here: a field gets one value."
    ),
    "unknown-flow": gettext_noop("“%(flow)s” is no flow type of Microsoft's documentation."),
    "source-type": gettext_noop("“%(type)s” is no type of source of Microsoft's documentation."),
    "no-expression": gettext_noop("Its source has no expression."),
    "problem": gettext_noop("%(problem)s"),
    "kept-row": gettext_noop("AWS requires the field, so your row for it stays as it is."),
    "object": gettext_noop("Lockstep takes people and groups to AWS, not “%(object)s”."),
    "direction": gettext_noop("It leads into Entra, not out of it."),
    "second-object": gettext_noop("Another rule for the same objects stands before it."),
    "rule-filter": gettext_noop("The rule is narrowed by groups or containers. Use assignments for that."),
    # Filters
    "filter-untitled": gettext_noop("It had no title."),
    "filter-kept": gettext_noop("So no filter of these objects is taken over: those of now stay as they are."),
    "filter-kind": gettext_noop("Filters on categories and on input are not known here."),
    "clause-operator": gettext_noop("There is no operator “%(operator)s” here."),
    "clauses-many": gettext_noop("It has %(count)d clauses. Up to %(limit)d are possible."),
    "clause-values": gettext_noop("“%(attribute)s %(operator)s” compares with %(count)d values; one is known here."),
    "clause-empty": gettext_noop(
        "A filter without clauses lets nobody or everybody pass; which one is not documented."
    ),
    # Writing
    "default-create-only": gettext_noop("Microsoft uses a default only when the object is created."),
    "keep-lost": gettext_noop("Microsoft's file cannot say that AWS keeps the value when the source becomes empty."),
    "written-none": gettext_noop("A mapping without a source is written with an empty source."),
    "joined-by-ampersand": gettext_noop("Microsoft documents no & in expressions. Use Append or Join."),
    "ignore-case-lost": gettext_noop("Microsoft's filters always tell upper from lower case."),
    "disable-with-update": gettext_noop("Microsoft has no action Disable of its own: it comes with Update."),
}


@dataclass(frozen=True, slots=True)
class ReportNote:
    """One reason: MESSAGES[code] with params. `problem`: why our own checks would refuse the row."""

    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    problem: Problem | None = None

    @property
    def sentence(self) -> str:
        """In English; pages translate MESSAGES[code] and the problem first."""
        params = dict(self.params)
        if self.problem is not None:
            found = self.problem
            params["problem"] = found.sentence() if isinstance(found, filter_checks.FilterProblem) else found.sentence
        return MESSAGES[self.code] % params


@dataclass(frozen=True, slots=True)
class ReportLine:
    """`part`: mapping, filter, actions or rule; `name`: the field, the title or the name in the file."""

    object_type: str
    part: Literal["mapping", "filter", "actions", "rule"]
    name: str
    outcome: Outcome
    notes: Sequence[ReportNote] = ()
