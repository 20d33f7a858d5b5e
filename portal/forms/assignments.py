"""The form of *Assign groups or people*: a search, what is ticked now, and what was chosen before."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

REFERENCE = re.compile(r"(user|group):[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class References(forms.Field):
    """Many values `group:<object id>`; what does not look like one is left out."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [one for one in dict.fromkeys(value or []) if REFERENCE.fullmatch(one)]


class AssignForm(forms.Form):
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
