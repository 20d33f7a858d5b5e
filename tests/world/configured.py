"""Valid configurations as Hypothesis makes them."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from sync.models import Configuration
from sync.models.configuration import every_group_action, every_user_action
from sync.rules import aws_fields, entra_attributes, mapping_checks
from sync.rules.filters import OPERATORS, Clause, attributes
from sync.rules.rows import MappingRow, ObjectType
from sync.rules.wanted import Wanted, WantedAssignment, WantedFilter

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
CONSTANT = TEXT.filter(str.strip)
EXPRESSIONS = [
    'Join(" ", [givenName], [surname])',
    'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
    'Coalesce([employeeId], "-")',
    'IIF([department]="R\\"D", "a\\\\b", ToLower([mail], ))',
    "Left(StripSpaces([displayName]), 12)",
]
GROUP_EXPRESSIONS = ['Append("aws-", [displayName])', 'Coalesce([mail], [mailNickname], "-")']


def targets(object_type: ObjectType) -> st.SearchStrategy[list[str]]:
    required = aws_fields.required_targets(object_type)
    others = [name for name in aws_fields.TARGETS[object_type] if name not in required]
    return st.lists(st.sampled_from(others), unique=True).flatmap(lambda more: st.permutations([*required, *more]))


@st.composite
def rule(draw: st.DrawFn, target: str, object_type: ObjectType) -> MappingRow:
    kind, source = draw(source_of(target, object_type))
    matchable = target in aws_fields.FILTERABLE[object_type] and kind in ("direct", "expression")
    return MappingRow(
        target=target,
        kind=kind,
        source=source,
        default=draw(TEXT),
        default_on_update=draw(st.booleans()),
        apply=draw(st.sampled_from(["always", "create"])),
        matching=draw(st.sampled_from([None, 1])) if matchable else None,
        when_empty=draw(st.sampled_from(["clear", "keep"])),
    )


def source_of(target: str, object_type: ObjectType) -> st.SearchStrategy[tuple[Any, str]]:
    if target in aws_fields.REFERENCES:
        return st.just(("reference", "members" if target == "members" else "manager"))
    direct = [one.name for one in entra_attributes.SOURCES[object_type] if one.type not in ("list", "reference")]
    expressions = EXPRESSIONS if object_type == "user" else GROUP_EXPRESSIONS
    found = [
        st.tuples(st.just("direct"), st.sampled_from([*direct, f"extension_{'0a' * 16}_Badge"])),
        st.tuples(st.just("constant"), CONSTANT),
        st.tuples(st.just("expression"), st.sampled_from(expressions)),
    ]
    if target not in aws_fields.required_targets(object_type):
        found.append(st.just(("none", "")))
    return st.one_of(found)


@st.composite
def rules(draw: st.DrawFn, object_type: ObjectType) -> list[MappingRow]:
    found = [draw(rule(target, object_type)) for target in draw(targets(object_type))]
    places = iter(draw(st.permutations(range(1, 10))))
    numbered = [
        replace(one, position=n, matching=next(places) if one.matching else None)
        for n, one in enumerate(found, start=1)
    ]
    for one in numbered:
        assert mapping_checks.check_mapping(one, [other for other in numbered if other is not one], object_type) == []
    return numbered


@st.composite
def clause(draw: st.DrawFn, object_type: ObjectType) -> dict[str, Any]:
    attribute = draw(st.sampled_from(attributes(object_type)))
    fitting = [one for one in OPERATORS.values() if attribute.type in one.of]
    operator = draw(st.sampled_from(fitting))
    values = {"nothing": st.just(""), "number": st.integers(0, 10**9).map(str), "pattern": st.just("^a.*z$")}
    value = draw(values.get(operator.takes, CONSTANT))
    return Clause(attribute.name, operator.name, value, draw(st.booleans())).row()


def filters(object_type: ObjectType) -> st.SearchStrategy[list[WantedFilter]]:
    title = st.text("ABC xyz", min_size=1, max_size=20).map(str.strip).filter(bool)
    clauses = st.lists(clause(object_type), min_size=1, max_size=3)
    return st.lists(st.builds(WantedFilter, title, clauses), max_size=3)


@st.composite
def assignment(draw: st.DrawFn) -> WantedAssignment:
    object_id, name = str(draw(st.uuids())), draw(st.text("Aé-7 ", max_size=12)).strip()
    if draw(st.booleans()):
        return WantedAssignment("user", object_id, name, "x@acme.example")
    return WantedAssignment("group", object_id, name, "", draw(st.booleans()), draw(st.booleans()))


def some_of(actions: list[str]) -> st.SearchStrategy[list[str]]:
    return st.sets(st.sampled_from(actions)).map(lambda chosen: [one for one in actions if one in chosen])


SETTINGS = st.fixed_dictionaries(
    {
        "everybody": st.booleans(),
        "mirrored_app": st.just("") | st.uuids().map(str),
        "leave_out_guests": st.booleans(),
        "guest_user_name": st.sampled_from(Configuration.GuestName.values),
        "user_actions": some_of(every_user_action()),
        "group_actions": some_of(every_group_action()),
    }
)
CONFIGURATIONS = st.builds(
    Wanted,
    mappings=st.fixed_dictionaries({"user": rules("user"), "group": rules("group")}),
    filters=st.fixed_dictionaries({"user": filters("user"), "group": filters("group")}),
    assignments=st.lists(assignment(), max_size=5, unique_by=lambda one: one.key),
    settings=SETTINGS,
)


def for_microsoft(wanted: Wanted) -> Wanted:
    """The same without what Microsoft's file cannot say."""
    plain = {"when_empty": "clear", "default_on_update": False}
    return Wanted(
        mappings={kind: [replace(one, **plain) for one in rows] for kind, rows in wanted.mappings.items()},
        filters={
            kind: [WantedFilter(one.title, [{**row, "ignore_case": False} for row in one.clauses]) for one in rows]
            for kind, rows in wanted.filters.items()
        },
        settings={
            "user_actions": [
                one
                for one in every_user_action()
                if ("update" if one == "disable" else one) in wanted.settings["user_actions"]
            ],
            "group_actions": wanted.settings["group_actions"],
        },
    )
