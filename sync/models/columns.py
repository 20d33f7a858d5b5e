"""What the JSON columns of runs and operations hold."""

from typing import Any, Literal, NotRequired, TypedDict

PhaseState = Literal["waiting", "running", "done", "not_needed", "stopped"]


class Phase(TypedDict):
    """`seconds` of its own; `facts`: counts that stand beside it."""

    state: PhaseState
    seconds: float
    facts: dict[str, int]


# By key of sync.runs.phases.PHASES.
Phases = dict[str, Phase]


Counts = dict[str, int]


class UnitChange(TypedDict):
    """Of one unit (sync/scim/resource.py); null where AWS holds none. A value may be redacted."""

    before: Any
    after: Any
    # Target of the mapping that it comes from; "" where there is none.
    mapping: NotRequired[str]
    # In a draft's preview: how one follows from the other (sync/engine/rehearsal/impact.py).
    pattern: NotRequired[str]
    # In a draft's preview: the source is empty, and the mapping's default stands in.
    from_default: NotRequired[bool]


# By unit; "members": ids of people in Entra.
Changes = dict[str, UnitChange | list[str]]
# By unit; null: to be removed.
Units = dict[str, Any]

Level = Literal["good", "attention", "bad"]


class MemberCounts(TypedDict):
    add: int
    remove: int


class Example(TypedDict):
    name: str
    before: str
    after: str


class Fold(TypedDict):
    """`n` updates of one unit that follow one pattern. `after`: the value where all get the same."""

    object_type: str
    unit: str
    pattern: str
    n: int
    examples: list[Example]
    after: str | None
    causes: list[str]


class ImpactCheck(TypedDict):
    """Bad ones block publishing, attention asks for a tick."""

    code: str
    level: Level
    n: int
    limit: int


class Impact(TypedDict):
    """What a draft's plan means; empty for all other runs. `people`: each once, by GROUPS of sync/engine/rehearsal/impact.py,
    "stay" and "refused"."""

    people: dict[str, int]
    members: MemberCounts
    groups: int
    folds: list[Fold]
    checks: list[ImpactCheck]
