"""The table that evaluator, checks, editor help and docs/expressions.md derive from; `library` fills it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Literal, Protocol, TypeVar

from sync.expressions.tree import Call
from sync.expressions.values import Ignore, Value


class Surroundings(Protocol):
    """One evaluation, as functions see it (see `evaluating`)."""

    @property
    def now(self) -> datetime: ...
    @property
    def random(self) -> Random: ...
    @property
    def taken(self) -> Callable[[str], bool]: ...
    def attribute(self, name: str) -> Value: ...
    def charge(self, value: Value) -> None: ...
    def ignore(self, what: Ignore) -> None: ...
    def step(self, count: int) -> None: ...
    def measure(self, characters: int) -> None: ...


Code = Callable[[Surroundings], Value]  # a compiled argument
Run = Callable[..., Value]  # values of the arguments -> value
Lazy = Callable[[Surroundings, Sequence[Code]], Value]  # evaluates its own arguments
Facts = Mapping[str, str | int]
Complaint = tuple[int, str, Facts]  # offset in the source, sentence, its facts
Check = Callable[[Call, str], Iterator[Complaint]]  # a call and the source -> what is wrong beyond names and counts

# What is known of a result before any data is seen. `count`: a whole number from 0; `argument`: one of the arguments.
ResultKind = Literal["text", "boolean", "number", "count", "date", "list", "argument"]


def left_out(_evaluation: Surroundings) -> Value:
    """The code of an argument that was left out: functions may ask `argument is left_out`."""
    return None


@dataclass(frozen=True)
class Function:
    name: str
    parameters: tuple[str, ...]  # a "?" at the end: may be left out
    repeats: tuple[str, ...]  # one or more times, after the parameters; a "?" as above
    summary: str
    example: str
    gives: str  # for the sample person of `docs`, as JSON; "" where it is never the same
    notes: str  # null, empty, lists: what else is to be known
    run: Run | None
    lazy: Lazy | None
    steady: bool  # False: another value each time
    top: bool  # may not stand inside another function
    check: Check | None
    result: ResultKind
    idempotent: bool  # applied to its own result it changes nothing, while the other arguments stay the same
    image: Run | None  # of a possible result and the other arguments, None for unknown ones, the result itself
    null: bool  # False: it never gives null

    @property
    def signature(self) -> str:
        names = [f"[{name[:-1]}]" if name.endswith("?") else name for name in self.parameters]
        if self.repeats:
            names += [f"{name.rstrip('?')}1" for name in self.repeats] + ["…"]
        return f"{self.name}({', '.join(names)})"

    @property
    def least(self) -> int:
        needed = [place for place, name in enumerate(self.parameters, 1) if not name.endswith("?")]
        if self.repeats:
            return len(self.parameters) + len(self.repeats)
        return max(needed, default=0)

    @property
    def most(self) -> int | None:
        return None if self.repeats else len(self.parameters)

    def parameter(self, place: int) -> str:
        """Name of the argument at a place from 0, with its "?"."""
        if place < len(self.parameters):
            return self.parameters[place]
        turn, which = divmod(place - len(self.parameters), len(self.repeats))
        name, optional, _ = self.repeats[which].partition("?")
        return f"{name}{turn + 1}{optional}"


FUNCTIONS: dict[str, Function] = {}  # by lower-case name
Implementation = TypeVar("Implementation", bound=Callable[..., Value])


def function(
    signature: str,
    summary: str,
    example: str,
    gives: str,
    *,
    repeats: str = "",
    notes: str = "",
    lazy: bool = False,
    steady: bool = True,
    top: bool = False,
    check: Check | None = None,
    result: ResultKind = "text",
    idempotent: bool = False,
    image: Run | None = None,
    null: bool = True,
) -> Callable[[Implementation], Implementation]:
    """Enters an implementation. `signature`: the name and the parameters, with blanks between.

    It takes its arguments' values, left-out ones being None; a `lazy` one takes the evaluation and their codes.
    """
    name, *parameters = signature.split()

    def enter(run: Implementation) -> Implementation:
        FUNCTIONS[name.lower()] = Function(
            name=name,
            parameters=tuple(parameters),
            repeats=tuple(repeats.split()),
            summary=summary,
            example=example,
            gives=gives,
            notes=notes,
            run=None if lazy else run,
            lazy=run if lazy else None,
            steady=steady,
            top=top,
            check=check,
            result=result,
            idempotent=idempotent,
            image=image,
            null=null and result not in ("boolean", "count"),
        )
        return run

    return enter


@dataclass(frozen=True)
class Keyword:
    """A bare word."""

    name: str
    value: Value | Ignore
    summary: str
