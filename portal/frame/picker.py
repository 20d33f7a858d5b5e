"""The directory search of two pages: what it found, what is chosen, and what the page must mark."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.directory import live
from sync.directory.live import GUID, Found
from sync.models import Tenant

REFERENCE = re.compile(f"(user|group):{GUID}")


class References(forms.Field):
    """Many values `group:<object id>`; what does not look like one is left out."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [one for one in dict.fromkeys(value or []) if REFERENCE.fullmatch(one)]


class PickForm(forms.Form):
    """The directory search, what is ticked in its results, and what was chosen before."""

    q = forms.CharField(label=_("Search the directory"), required=False, max_length=100)
    chosen = References(required=False)
    remove = forms.CharField(required=False)

    @property
    def text(self) -> str:
        return str(self.cleaned_data.get("q", ""))

    @property
    def references(self) -> list[str]:
        """Hidden inputs and ticked boxes share one name; *remove* takes one out again."""
        removed = self.cleaned_data.get("remove")
        return [one for one in self.cleaned_data.get("chosen", []) if one != removed]


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
    """Never raises because of Graph: what is chosen stays chosen, under the name that is known."""
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
