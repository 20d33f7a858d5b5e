"""One row of a mapping table as a value, and what can be wrong with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from sync import expressions
from sync.expressions import ExpressionError
from sync.rules.entra_attributes import ALWAYS_SELECTED, source_attribute
from sync.rules.messages import message
from sync.scim.resource import REDACTED

Kind = Literal["direct", "constant", "expression", "reference", "none"]

Apply = Literal["always", "create"]

WhenEmpty = Literal["clear", "keep"]

ObjectType = Literal["user", "group"]

# What userPrincipalName stands for when the person is a guest.
GuestName = Literal["invited", "original", "mail"]


@dataclass(frozen=True)
class MappingRow:
    """One row: where the value of an AWS attribute (`target`, a SCIM path) comes from.

    `source` is an attribute name, a constant or an expression, by `kind`; kind none has no source: what AWS holds is
    left alone, and filled with the default whenever it is empty. Else `default` is used when the source is empty, on
    create, and with `default_on_update` always. `matching` is the precedence (1 first) of a matching attribute, or None.
    `when_empty`: what AWS holds is cleared, or kept, once the source becomes empty.
    """

    target: str
    kind: Kind
    source: str
    default: str = ""
    default_on_update: bool = False
    apply: Apply = "always"
    matching: int | None = None
    when_empty: WhenEmpty = "clear"
    position: int = 0
    id: int | None = None


# What a row says; the rest is where it stands.
FIELDS = tuple(one.name for one in fields(MappingRow) if one.name not in ("position", "id"))


def graph_select(mappings: Iterable[MappingRow], object_type: str = "user", filtered: Iterable[str] = ()) -> list[str]:
    """The $select list: what pages and the engine need, what the rows read, and what is filtered by.

    Unknown names stay out.
    """
    names = [*(name for row in mappings for name in names_read(row)), *filtered]
    attributes = [found for name in names if (found := source_attribute(name, object_type))]
    return list(dict.fromkeys([*ALWAYS_SELECTED[object_type], *(one.selects for one in attributes)]))


def names_read(row: MappingRow) -> Sequence[str]:
    """Attribute names as written in the row; none for a constant or an expression that cannot be read."""
    if row.kind != "expression":
        return () if row.kind == "constant" else (row.source,)
    try:
        return expressions.parse(row.source).attributes
    except ExpressionError:
        return ()


@dataclass(frozen=True)
class MappingProblem:
    """What is wrong with a row or an object's value: MESSAGES[code] with params, at a field of the row."""

    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    field: str = ""
    cause: ExpressionError | None = None

    @property
    def sentence(self) -> str:
        """In English; pages translate MESSAGES[code], and cause.template, before they put the params in."""
        return message(self.code, **self.params)

    def __str__(self) -> str:
        return self.sentence

    @property
    def redacted(self) -> "MappingProblem":
        """Without the values that the sentence quotes."""
        params = {name: value if name == "target" else _hidden(value) for name, value in self.params.items()}
        if self.cause is not None:
            quoted = {name: _hidden(value) for name, value in self.cause.params.items()}
            params["message"] = self.cause.template % quoted if quoted else self.cause.message
        return replace(self, params=params)


def _hidden(value: str | int) -> str | int:
    return REDACTED if isinstance(value, str) else value


def expression_problem(error: ExpressionError) -> MappingProblem:
    facts: dict[str, str | int] = {"line": error.line, "column": error.column, "message": error.message}
    return MappingProblem("expression", facts, "source", error)
