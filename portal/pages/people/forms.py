"""Whom the list of people shows: by its own fields, and as other pages link to it."""

from typing import Any

from django import forms

from sync.models import ObjectType, Word
from sync.standings.queries import STEPS


class MomentForm(forms.Form):
    """As of when a person is shown. ISO 8601, without a zone in the reader's own."""

    at = forms.DateTimeField(required=False)


class PeopleForm(forms.Form):
    """What is not valid counts as not said."""

    q = forms.CharField(required=False, max_length=100)
    kind = forms.ChoiceField(required=False, choices=ObjectType.choices)
    word = forms.ChoiceField(required=False, choices=Word.choices)
    code = forms.CharField(required=False, max_length=40)
    attribute = forms.CharField(required=False, max_length=200)
    dropped_at = forms.ChoiceField(required=False, choices=[(step, step) for step in list(STEPS)[1:]])

    @property
    def kind_chosen(self) -> str:
        return self.cleaned_data.get("kind") or ObjectType.USER.value

    def conditions(self) -> dict[str, Any]:
        """For sync.people.queries.find."""
        data = self.cleaned_data
        return {
            "kind": self.kind_chosen,
            "word": Word(data["word"]) if data.get("word") else None,
            "code": data.get("code") or None,
            "attribute": data.get("attribute") if data.get("code") and "attribute" in self.data else None,
            "dropped_at": data.get("dropped_at", ""),
        }

    def kept(self) -> dict[str, str]:
        """What a search keeps of the address."""
        return {name: value for name, value in self.cleaned_data.items() if value and name != "q"}
