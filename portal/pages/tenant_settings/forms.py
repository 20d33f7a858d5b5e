from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.frame import typed
from portal.words.time_zones import time_zones


class TenantSettingsForm(forms.Form):
    """`seen`: the revision of what the page showed."""

    name = forms.CharField(label=_("Name"), max_length=100)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        """`zone`: as it is now; a tenant file may name one that is not offered."""
        super().__init__(*args, **kwargs)
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = time_zones() if zone in dict(time_zones()) else [(zone, zone), *time_zones()]


class DeletionForm(forms.Form):
    confirm = forms.CharField(max_length=60)

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name
        typed.ask_for(self.fields["confirm"], name)

    def clean_confirm(self) -> str:
        value = str(self.cleaned_data["confirm"]).strip()
        typed.require(value, self.name)
        return value
