"""The form of *Provision on demand*: the directory search of assignments, a box for many, and the option to only look."""

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.frame.picker import PickForm

PASTED = 20_000


class OnDemandForm(PickForm):
    pasted = forms.CharField(
        label=_("Or paste people, one per line"),
        help_text=_("User principal names, object IDs or exact names. Up to 50."),
        required=False,
        max_length=PASTED,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "off"}),
    )
    dry_run = forms.BooleanField(
        label=_("Only show what would happen"),
        help_text=_("Nothing is written to AWS."),
        required=False,
        initial=True,
    )

    drafted = forms.BooleanField(
        label=_("Use the draft instead of the published version"),
        help_text=_("Shows only, never writes."),
        required=False,
    )

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in str(self.cleaned_data.get("pasted", "")).splitlines() if line.strip()]
