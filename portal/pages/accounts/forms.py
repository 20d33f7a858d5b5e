"""The first Owner; one's own settings."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from portal.access import first_run
from portal.models import User
from portal.words.time_zones import time_zones


class FirstRunForm(forms.Form):
    code = forms.CharField(
        label=_("One-time code"),
        help_text=_("It stands in the terminal in which Lockstep was started."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )
    name = forms.CharField(label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 12 characters. A few words that only you would put together are good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones, initial="UTC")

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not first_run.code_matches(code):
            raise forms.ValidationError(_("This is not the code that the terminal shows. Copy it again."))
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "password" in cleaned:
            try:
                validate_password(
                    cleaned["password"], User(email=cleaned.get("email", ""), name=cleaned.get("name", ""))
                )
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def owner(self) -> dict[str, str]:
        """The arguments of first_run.make_owner."""
        return {name: self.cleaned_data[name] for name in ("email", "password", "name", "time_zone")}


class MeForm(forms.ModelForm):  # type: ignore[type-arg]
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)

    class Meta:
        model = User
        fields = ("name", "time_zone", "appearance")
