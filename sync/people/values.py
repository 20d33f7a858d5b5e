"""A person's values side by side: in Entra, after the mappings, and in AWS, as written last or as read now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.utils import timezone

from sync.configuration.current import configuration_of
from sync.connection.clients import NotEntered, page_scim_client
from sync.connection.sealing import CannotOpen
from sync.directory.patience import CONNECT_SECONDS, READ_SECONDS, of_page
from sync.engine.evaluation.mapper import Mapper
from sync.graph.errors import GraphError
from sync.models import Configuration, DirectoryUser, ObjectType
from sync.people.facts import PersonFacts
from sync.rules.drift import same
from sync.rules.mapping import Trace
from sync.rules.rows import GuestName, MappingRow
from sync.scim.errors import NotFound, ScimError
from sync.scim.resource import Units, unit_of, units, units_held, value_of

# What a page expects instead of an answer.
UNREADABLE = (ScimError, NotEntered, CannotOpen, ValueError, GraphError)


@dataclass(frozen=True, slots=True)
class Value:
    """One target of the mappings. `entra`: the values that it is made of; `held`: by AWS."""

    target: str
    entra: Mapping[str, Any]
    mapped: Any
    held: Any
    hidden: bool

    @property
    def empty(self) -> bool:
        """Nobody has a value."""
        known = (*self.entra.values(), self.mapped, self.held)
        return all(value in (None, "", []) for value in known)

    @property
    def differs(self) -> bool:
        return not same(unit_of(self.target), self.mapped, self.held)


def values_of(facts: PersonFacts, held: Units | None = None) -> list[Value]:
    """`held`: what AWS has now; None: what was written last."""
    if facts.user is None:
        return []
    known = held if held is not None else (facts.link.written if facts.link else {})
    traces = _traces(facts.configuration, facts.user, creating=not facts.standing.scim_id)
    return [_value(trace, known) for trace in traces if trace.target != "members"]


def changed_by(draft: Configuration, user: DirectoryUser, *, creating: bool) -> dict[str, Any]:
    """By target: the value that the draft gives where the version gives another one. Without what a mapping hides.

    `creating`: AWS does not hold the person yet."""
    version = configuration_of(draft.tenant)
    now = {trace.target: trace.value for trace in _traces(version, user, creating=creating)}
    then = {trace.target: trace.value for trace in _traces(draft, user, creating=creating) if not trace.redacted}
    # Of a target that the draft drops, AWS keeps what it holds.
    return {target: value for target, value in then.items() if value != now.get(target)}


def _traces(configuration: Configuration, user: DirectoryUser, *, creating: bool) -> Sequence[Trace]:
    mapper = Mapper(_rows(configuration), cast(GuestName, configuration.guest_user_name), timezone.now())
    return mapper.map(user.properties, present=user.in_scope, creating=creating).trace


def _rows(configuration: Configuration) -> list[MappingRow]:
    return [row.rule() for row in configuration.mappings.filter(object_type=ObjectType.USER)]


def _value(trace: Trace, held: Units) -> Value:
    return Value(trace.target, trace.inputs, trace.value, value_of(held, trace.target), trace.redacted)


def read_in_aws(facts: PersonFacts) -> Units | None:
    """What AWS holds of the mapped values now; None when it holds nobody. Raises one of UNREADABLE."""
    if facts.link is None or not facts.link.scim_id:
        return None
    client = page_scim_client(facts.tenant, connect=CONNECT_SECONDS, read=READ_SECONDS)
    try:
        with of_page()():
            answer = client.get_user(facts.link.scim_id)
    except NotFound:
        return None
    finally:
        client.close()
    return units_held(answer.resource or {}, units({row.target: "" for row in _rows(facts.configuration)}))
