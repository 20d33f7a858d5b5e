"""What is held, as a file to hand round: one row per person, group or membership."""

from collections.abc import Iterator
from itertools import islice

from sync.approvals import queries
from sync.approvals.queries import Held, Presence
from sync.models import Hold
from sync.models.hold import HeldChangeQuerySet

COLUMNS = (
    "kind", "object", "name", "user_principal_name", "entra_id", "group", "action", "cause", "in_aws_through",
    "in_aws_since", "decision", "decided_by", "decided_at", "comment",
)  # fmt: skip
PORTION = 500


def csv_rows(hold: Hold, changes: HeldChangeQuerySet) -> Iterator[list[object]]:
    rows = changes.iterator(chunk_size=PORTION)
    while portion := queries.held_of(hold.tenant, islice(rows, PORTION)):
        yield from _portion(hold, portion)


def _portion(hold: Hold, portion: list[Held]) -> Iterator[list[object]]:
    in_aws = queries.presence_in(hold, portion)
    for one in portion:
        yield [*_what(hold, one), *_where(in_aws.get(one.subject_id)), *_decision(one)]


def _what(hold: Hold, one: Held) -> list[object]:
    change = one.change
    return [
        hold.kind, change.object_type, one.name, one.login, one.subject_id, one.group, change.action, change.cause,
    ]  # fmt: skip


def _where(presence: Presence | None) -> list[object]:
    if presence is None:
        return ["", ""]
    since = presence.since.isoformat() if presence.since else ""
    return ["; ".join(name for _key, name in presence.groups), since]


def _decision(one: Held) -> list[object]:
    change = one.change
    decided_at = change.decided_at.isoformat() if change.decided_at else ""
    return [one.state, change.decided_by, decided_at, change.comment]
