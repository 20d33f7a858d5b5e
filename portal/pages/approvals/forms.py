"""The decision on one hold, and on proposals for linking."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.frame import typed
from portal.frame.fields import Numbers
from sync.models import Hold, Tenant

# What takes access away asks for the tenant's short name (ux: confirmation, third tier).
TYPED = (Hold.Kind.PEOPLE, Hold.Kind.MEMBERS, Hold.Kind.GROUPS)


class DecisionForm(forms.Form):
    """`shown` are the rows of the page, `ticked` those left ticked, `upto` the newest row that the page knew of.

    `do`: approve (all that wait but the unticked, which are kept), keep (the unticked), keep_all.
    """

    do = forms.ChoiceField(
        choices=[("approve", ""), ("keep", ""), ("keep_all", "")], widget=forms.HiddenInput, required=False
    )
    shown = Numbers(required=False)
    ticked = Numbers(required=False)
    upto = forms.IntegerField(min_value=0, widget=forms.HiddenInput, required=False)
    keep_one = forms.IntegerField(min_value=1, widget=forms.HiddenInput, required=False)
    undo_one = forms.IntegerField(min_value=1, widget=forms.HiddenInput, required=False)
    comment = forms.CharField(
        label=_("Why?"),
        help_text=_("Goes into the audit log."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    confirm = forms.CharField(
        required=False, max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, tenant: Tenant, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant, self.typed = tenant, kind in TYPED
        typed.ask_for(self.fields["confirm"], tenant.slug)

    def clean_confirm(self) -> str:
        value = str(self.cleaned_data["confirm"]).strip()
        one = self.cleaned_data.get("keep_one") or self.cleaned_data.get("undo_one")
        approving = self.cleaned_data.get("do") == "approve" and not one
        if approving and self.typed:
            typed.require(value, self.tenant.slug)
        return value

    @property
    def unticked(self) -> Sequence[int]:
        ticked = set(self.cleaned_data["ticked"])
        return [one for one in self.cleaned_data["shown"] if one not in ticked]


class LinkForm(forms.Form):
    ticked = Numbers(required=False)
