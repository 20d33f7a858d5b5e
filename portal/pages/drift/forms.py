"""What is looked for, what is chosen, and why something stays as it is."""

from django import forms
from django.utils.translation import gettext_lazy

from portal.frame.fields import Numbers, ObjectIds
from sync.drift.queries import Chosen
from sync.models import ObjectType


class FindForm(forms.Form):
    """What is not valid counts as not said. `alone`: those that were left alone."""

    q = forms.CharField(required=False, max_length=100)
    kind = forms.ChoiceField(required=False, choices=ObjectType.choices)
    alone = forms.BooleanField(required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        label=gettext_lazy("Why it stays as it is"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Whoever looks at it later reads this, with your name."),
    )


class ChosenForm(forms.Form):
    """What is repaired or left: the ticked ones where `some` is said, all of it else."""

    some = forms.BooleanField(required=False)
    row = Numbers(required=False)
    object = ObjectIds(required=False)

    @property
    def chosen(self) -> Chosen | None:
        self.is_valid()
        rows, objects = self.cleaned_data.get("row") or [], self.cleaned_data.get("object") or []
        return Chosen(rows, objects) if rows or objects or self.cleaned_data.get("some") else None
