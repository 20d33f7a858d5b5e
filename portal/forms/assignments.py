"""Forms of assignments: the search with what is ticked and chosen, the pasted list, ticked rows of the tables."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.directory.live import GUID

REFERENCE = re.compile(f"(user|group):{GUID}")
PASTED = 400_000


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


class PasteForm(forms.Form):
    """`picked`: which of several candidates a line means."""

    pasted = forms.CharField(
        label=_("One object ID, user principal name, mail address or group name per line"),
        help_text=_("Up to 5,000 lines. Empty lines and repeated ones do not matter."),
        max_length=PASTED,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocapitalize": "off"}),
        error_messages={"required": _("Paste at least one line.")},
    )
    picked = References(required=False)


class TickedForm(forms.Form):
    ticked = References(required=False)

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Object type and object id."""
        pairs = (one.partition(":") for one in self.cleaned_data.get("ticked", []))
        return [(object_type, object_id) for object_type, _colon, object_id in pairs]
