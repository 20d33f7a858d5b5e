"""The directory search of two pages: what it found, what is chosen, and what the page must mark."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.forms.assignments import PickForm
from sync.directory import live
from sync.directory.live import Found
from sync.models import Tenant


@dataclass(slots=True)
class Picked:
    """`wait`: after so many seconds Graph answers again; 0: it is not a matter of waiting."""

    chosen: Sequence[Found]
    found: Sequence[Found] = ()
    references: Sequence[str] = ()
    unreadable: bool = False
    wait: int = 0

    def context(self) -> dict[str, Any]:
        shown = {one.reference for one in self.found}
        return {
            "found": self.found,
            "chosen": self.chosen,
            "unreadable": self.unreadable,
            "wait": self.wait,
            "ticked": set(self.references),
            # Chosen ones that the results do not show: no tick gets lost.
            "carried": [one for one in self.references if one not in shown],
            "found_groups": sum(one.object_type == "group" for one in self.found),
            "found_people": sum(one.object_type == "user" for one in self.found),
        }


def pick(tenant: Tenant, form: PickForm, *, search: bool = True) -> Picked:
    """Never raises because of Graph: whoever is chosen stays so, under the name that is known."""
    known = live.known(tenant, form.references)
    picked = Picked([known.get(one) or _nameless(one) for one in form.references], references=form.references)
    try:
        picked.chosen = live.named(tenant, form.references)
        picked.references = [one.reference for one in picked.chosen]
        picked.found = live.search(tenant, form.text) if search else ()
    except live.UNREADABLE as error:
        picked.unreadable, picked.wait = True, live.seconds_to_wait(error)
    return picked


def _nameless(reference: str) -> Found:
    object_type, _colon, object_id = reference.partition(":")
    return Found(object_type, object_id, object_id, "", "group" if object_type == "group" else "person")
