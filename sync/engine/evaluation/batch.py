"""What one batch of objects results in, until it is stored in one transaction."""

import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.db.bulk import insert_rows, update_rows
from sync.engine.evaluation.decisions import Decisions
from sync.engine.evaluation.plan_store import REFUSED_FIELDS, Refusal, Subject
from sync.models import (
    Link,
    Tenant,
)
from sync.rules.changes import (
    Change,
    Known,
)
from sync.rules.unique_keys import Keys

# What a pass may change of a link before anything is sent.
VERDICTS = (
    *("wanted_name", "wanted_email", "wanted_external", "ready_code", "ready_attribute", "ready_at", "origin"),
    *("match_code", "match_attribute", "match_scim_id", "match_name", "match_at", "retry_at", "pending", "warnings"),
    *REFUSED_FIELDS,
)


def links_of(tenant: Tenant, object_type: str, object_ids: Iterable[str]) -> dict[str, Link]:
    rows = Link.objects.filter(tenant=tenant, object_type=object_type, object_id__in=list(object_ids))
    return {link.object_id: link for link in rows}


@dataclass(slots=True)
class Batch:
    """What one batch results in, until it is stored in one transaction.

    `quiet`: object ids that are looked at only because they were refused before; the log need not say it again.
    """

    links: dict[str, Link]
    decisions: Decisions
    quiet: Collection[str] = ()
    before: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    planned: list[tuple[Subject, Change]] = field(default_factory=list)
    refused: list[tuple[Subject, Refusal]] = field(default_factory=list)
    again: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.before = {key: _verdicts(link) for key, link in self.links.items()}

    def link(self, tenant: Tenant, object_type: str, object_id: str) -> Link:
        """The row exists from the first look on."""
        if object_id not in self.links:
            self.links[object_id] = Link(tenant=tenant, object_type=object_type, object_id=object_id)
        return self.links[object_id]

    def refuse(self, subject: Subject, refusal: Refusal, now: datetime.datetime) -> None:
        self.refused.append((subject, refusal))
        link = subject.link
        if refusal.stands_on(link) and link.object_id in self.quiet:
            self.again.add(link.object_id)
        refusal.note_on(link, now)

    @property
    def unlogged(self) -> list[tuple[Subject, Refusal]]:
        """Refusals that the log does not hold yet."""
        return [(subject, refusal) for subject, refusal in self.refused if subject.object_id not in self.again]

    def passed(self) -> list[Link]:
        """Links that stood refused and are not any more, as far as they alone are concerned."""
        refused = {subject.object_id for subject, _refusal in self.refused}
        return [link for link in self.links.values() if link.refused_code and link.object_id not in refused]

    @property
    def touched(self) -> set[str]:
        """Object ids of which the plan says something."""
        return {subject.object_id for subject, _what in (*self.planned, *self.refused)}

    def save_links(self, tenant: Tenant) -> None:
        self._note_pending()
        new = [link for link in self.links.values() if link.pk is None]
        insert_rows(new)
        _find_keys(tenant, new)
        update_rows([self.links[key] for key in self.changed if key in self.before], VERDICTS)

    def _note_pending(self) -> None:
        """What is to be done first with each; what is held waits as a held change."""
        first: dict[str, Change] = {}
        for subject, change in self.planned:
            known = first.get(subject.object_id)
            if not change.held and (known is None or change.stage < known.stage):
                first[subject.object_id] = change
        for key, link in self.links.items():
            link.pending = first[key].action if key in first else ""

    @property
    def changed(self) -> set[str]:
        """Object ids of links that are new, or of which the pass says something else than before."""
        return {key for key, link in self.links.items() if self.before.get(key) != _verdicts(link)}


def _find_keys(tenant: Tenant, new: Sequence[Link]) -> None:
    """Plan rows name their link."""
    if not new:
        return
    rows = Link.objects.filter(tenant=tenant, object_type=new[0].object_type)
    rows = rows.filter(object_id__in=[link.object_id for link in new])
    keys = dict(rows.values_list("object_id", "pk"))
    for link in new:
        link.pk = keys[link.object_id]


def _verdicts(link: Link) -> tuple[Any, ...]:
    return tuple(getattr(link, name) for name in VERDICTS if not name.endswith("_at") or name == "retry_at")


def want(link: Link, keys: Keys) -> None:
    link.wanted_name, link.wanted_email, link.wanted_external = keys.name, keys.email, keys.external


def let_go(link: Link) -> None:
    """Out of scope: nothing is wanted of it, and nobody is asked which AWS object it is."""
    want(link, Keys())
    if link.match_code in Link.PROPOSED:
        link.match_code = link.match_attribute = link.match_scim_id = link.match_name = ""


def known_of(link: Link) -> Known:
    return Known(link.scim_id, link.written) if link.scim_id else Known()


def written_members(link: Link) -> dict[str, bool]:
    """Entra ids of the people whom we put into the group, and whether AWS's answer was seen."""
    return dict(link.member_links.values_list("user__object_id", "certain"))
