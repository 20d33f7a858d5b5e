"""The two halves of the connection as forms. Secrets go in and never come out again: their fields render empty."""

import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.connection.certificates import read_certificate
from sync.connection.checks.entra import DOMAIN
from sync.connection.clients import clouds, scim_endpoint
from sync.connection.services import CREDENTIAL_AGAIN, TOKEN_AGAIN, clean_token
from sync.directory.live import is_guid
from sync.models import AwsConnection, EntraConnection

CLOUD_LABELS = {
    "global": _("Global"),
    "usgov": _("US Government (GCC High)"),
    "usgovdod": _("US Government (DoD)"),
    "china": _("China (21Vianet)"),
}
# What a credential of Entra is bound to.
DESTINATION = {"cloud", "directory_id", "client_id"}
SECRET = EntraConnection.CredentialKind.SECRET
CERTIFICATE = EntraConnection.CredentialKind.CERTIFICATE


def cloud_choices() -> list[tuple[str, Any]]:
    extra = {name: facts.get("label", name) for name, facts in settings.EXTRA_CLOUDS.items()}
    return [(name, {**CLOUD_LABELS, **extra}.get(name, name)) for name in clouds()]


class WriteOnlyTextarea(forms.Textarea):
    """As PasswordInput does: what was typed is never sent back to the browser."""

    def format_value(self, value: Any) -> None:
        return None


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class EntraForm(forms.Form):
    cloud = forms.ChoiceField(label=_("Cloud"), choices=cloud_choices)
    directory_id = forms.CharField(
        label=_("Directory (tenant) ID"),
        max_length=255,
        help_text=_("A GUID, or a verified domain such as acme.com."),
        error_messages={"required": _("Enter the directory ID.")},
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "class": "ls-mono"}),
    )
    client_id = forms.CharField(
        label=_("Application (client) ID"),
        max_length=64,
        help_text=_("A GUID."),
        error_messages={"required": _("Enter the client ID.")},
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "class": "ls-mono"}),
    )
    credential_kind = forms.ChoiceField(
        label=_("Credential"), choices=EntraConnection.CredentialKind.choices, widget=forms.RadioSelect
    )
    secret = forms.CharField(
        label=_("Client secret: its value"),
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    certificate = forms.CharField(
        label=_("Certificate with its private key (PEM)"),
        required=False,
        max_length=30_000,
        help_text=_("Paste both parts: PRIVATE KEY and CERTIFICATE. In Entra, upload the certificate part only."),
        widget=WriteOnlyTextarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off", "class": "ls-mono"}),
    )
    ends_on = forms.DateField(
        label=_("End date of the secret"),
        required=False,
        help_text=_("Entra shows it as Expires. We warn you before it. A certificate brings its own date."),
        error_messages={"invalid": _("Enter the date as year-month-day, such as 2027-03-31.")},
        widget=DateInput,
    )

    def __init__(self, *args: Any, stored: EntraConnection, **kwargs: Any) -> None:
        self.stored = stored
        initial = {
            "cloud": stored.cloud,
            "directory_id": stored.directory_id,
            "client_id": stored.client_id,
            "credential_kind": stored.credential_kind,
            "ends_on": stored.credential_ends_on,
        }
        super().__init__(*args, **{**kwargs, "initial": initial})

    def clean_directory_id(self) -> str:
        value = str(self.cleaned_data["directory_id"]).lower()
        if not is_guid(value) and not DOMAIN.fullmatch(value):
            raise ValidationError(
                _("“%(value)s” is neither a GUID nor a domain. Copy Tenant ID from the Overview page of Entra."),
                params={"value": value},
            )
        return value

    def clean_client_id(self) -> str:
        value = str(self.cleaned_data["client_id"]).lower()
        if not is_guid(value):
            raise ValidationError(
                _("The client ID is not a GUID. Copy Application (client) ID from the app's Overview page.")
            )
        return value

    def clean_secret(self) -> str:
        """Entra lists a GUID as *Secret ID* beside the value; its own answer names this slip (AADSTS7000215)."""
        value = str(self.cleaned_data["secret"]).strip()
        if is_guid(value):
            raise ValidationError(_("This looks like the secret's ID. Paste its Value."))
        return value

    def clean_certificate(self) -> str:
        value = str(self.cleaned_data["certificate"]).strip()
        if value and self.data.get("credential_kind") == CERTIFICATE:
            read_certificate(value)
        return value

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("credential_kind")
        stored = self.stored.credential_kind == kind and bool(self.stored.sealed_credential)
        if stored and any(cleaned.get(name) != getattr(self.stored, name) for name in DESTINATION):
            self._require_again(kind, cleaned)
        if kind == SECRET:
            self._require_secret(cleaned, stored)
        if kind == CERTIFICATE and not stored and not cleaned.get("certificate") and "certificate" not in self.errors:
            self.add_error("certificate", _("Paste the certificate and its private key."))
        return cleaned

    def _require_again(self, kind: str | None, cleaned: dict[str, Any]) -> None:
        """A field that has an error of its own is no news about the destination."""
        field = "certificate" if kind == CERTIFICATE else "secret"
        if not cleaned.get(field) and field not in self.errors and not self.errors.keys() & DESTINATION:
            self.add_error(field, CREDENTIAL_AGAIN)

    def _require_secret(self, cleaned: dict[str, Any], stored: bool) -> None:
        if not stored and not cleaned.get("secret") and "secret" not in self.errors:
            self.add_error("secret", _("Paste the value of the client secret."))
        if not cleaned.get("ends_on") and "ends_on" not in self.errors:
            self.add_error("ends_on", _("Enter the date on which the secret ends. Entra shows it as Expires."))

    def values(self) -> dict[str, Any]:
        """The arguments of sync.connection.services.save_entra."""
        cleaned = dict(self.cleaned_data)
        secret, certificate = cleaned.pop("secret"), cleaned.pop("certificate")
        is_certificate = cleaned["credential_kind"] == CERTIFICATE
        if is_certificate:
            cleaned["ends_on"] = self.stored.credential_ends_on
        return {**cleaned, "credential": (certificate if is_certificate else secret) or None}


class AwsForm(forms.Form):
    endpoint = forms.CharField(
        label=_("SCIM endpoint"),
        max_length=500,
        help_text=_("It looks like https://scim.eu-central-1.amazonaws.com/…/scim/v2"),
        error_messages={"required": _("Enter the SCIM endpoint.")},
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "class": "ls-mono"}),
    )
    token = forms.CharField(
        label=_("Access token"),
        required=False,
        max_length=4000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    token_created_on = forms.DateField(
        label=_("Date the token was created"),
        help_text=_("AWS tokens last one year from this day, and AWS tells nobody when one ends."),
        error_messages={
            "required": _("Enter the date on which the token was created."),
            "invalid": _("Enter the date as year-month-day, such as 2026-11-23."),
        },
        widget=DateInput,
    )

    def __init__(self, *args: Any, stored: AwsConnection, **kwargs: Any) -> None:
        self.stored = stored
        initial = {
            "endpoint": stored.endpoint,
            "token_created_on": stored.token_created_on or timezone.localdate(),
        }
        super().__init__(*args, **{**kwargs, "initial": initial})

    def clean_endpoint(self) -> str:
        try:
            return scim_endpoint(str(self.cleaned_data["endpoint"])).base
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean_token(self) -> str:
        value = clean_token(str(self.cleaned_data["token"]))
        if not value and not self.stored.sealed_token:
            raise ValidationError(_("Paste the access token."))
        if not value and self.cleaned_data.get("endpoint", self.stored.endpoint) != self.stored.endpoint:
            raise ValidationError(TOKEN_AGAIN)
        return value

    def clean_token_created_on(self) -> Any:
        value = self.cleaned_data["token_created_on"]
        if value > timezone.localdate() + datetime.timedelta(days=1):
            raise ValidationError(_("This day is still to come. Enter the date on which the token was created."))
        return value

    def values(self) -> dict[str, Any]:
        """The arguments of sync.connection.services.save_aws."""
        return {**self.cleaned_data, "token": self.cleaned_data["token"] or None}
