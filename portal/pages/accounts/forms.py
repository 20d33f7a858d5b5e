"""The first Owner; one's own settings and password."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from portal.access import first_run
from portal.models import User
from portal.words.time_zones import time_zones


def new_password_field() -> forms.CharField:
    return forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 12 characters. A few words that only you would put together are good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class FirstRunForm(forms.Form):
    code = forms.CharField(
        label=_("One-time code"),
        help_text=_("It stands in the terminal in which Lockstep was started."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )
    name = forms.CharField(label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    password = new_password_field()
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zones,
        initial="UTC",
        widget=forms.Select(attrs={"data-browser-zone": True}),
    )

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


class ChoosePasswordForm(forms.Form):
    password = new_password_field()

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password


class ChangePasswordForm(ChoosePasswordForm):
    """`check`: whether a password is the current one. Whoever has API tokens is asked about them."""

    current = forms.CharField(
        label=_("Current password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    revoke_tokens = forms.BooleanField(
        label=_("Revoke my API tokens too"),
        required=False,
        help_text=_("If somebody else may have known the password. Scripts that use them stop working."),
    )
    field_order = ("current", "password", "revoke_tokens")

    def __init__(self, user: User, check: Callable[[str], bool], *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.check_current = check
        self.fields["password"].label = _("New password")
        if not user.tokens.exists():
            del self.fields["revoke_tokens"]

    def clean_current(self) -> str:
        current: str = self.cleaned_data["current"]
        if not self.check_current(current):
            raise forms.ValidationError(_("This is not your current password."))
        return current

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("password") and cleaned.get("password") == cleaned.get("current"):
            self.add_error("password", _("This is the password that you have already. Choose another one."))
        return cleaned


class MeForm(forms.ModelForm):  # type: ignore[type-arg]
    language = forms.ChoiceField(
        label=_("Language"), choices=[("", _("As the browser asks")), *settings.LANGUAGES], required=False
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)

    class Meta:
        model = User
        fields = ("name", "language", "time_zone", "appearance", "density", "shortcuts")
        help_texts: ClassVar[dict[str, Any]] = {"shortcuts": _("Single keys, such as / for the search. ? lists them.")}
