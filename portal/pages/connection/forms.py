"""The two halves of the connection as forms. Secrets go in and never come out again: their fields render empty."""

import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.connection import certificates
from sync.connection.certificates import read_certificate
from sync.connection.checks.entra import DOMAIN
from sync.connection.clients import clouds, scim_endpoint, token_source
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
FEDERATED = EntraConnection.CredentialKind.FEDERATED


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


class EntraCredentialForm(forms.Form):
    """What an app signs in with. `kept`: whether the stored one goes on, when nothing is entered."""

    credential_kind = forms.ChoiceField(label=_("Credential"), widget=forms.RadioSelect)
    secret = forms.CharField(
        label=_("Client secret: its value"),
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    make = forms.BooleanField(
        label=_("Make key and certificate here"),
        required=False,
        help_text=_(
            "The key never leaves this server. Download the certificate afterwards, and upload it in Entra. It lasts a year."
        ),
    )
    certificate = forms.CharField(
        label=_("Or your own certificate with its private key (PEM)"),
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
        super().__init__(*args, **kwargs)
        # Only what this deployment can do; what is in use stays to be seen.
        offered = [SECRET, CERTIFICATE]
        if token_source() is not None or stored.credential_kind == FEDERATED:
            offered.append(FEDERATED)
        field = self.fields["credential_kind"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(kind.value, kind.label) for kind in offered]

    def clean_secret(self) -> str:
        """Entra lists a GUID as *Secret ID* beside the value; its own answer names this slip (AADSTS7000215)."""
        value = str(self.cleaned_data["secret"]).strip()
        if is_guid(value):
            raise ValidationError(_("This looks like the secret's ID. Paste its Value."))
        return value

    def clean_certificate(self) -> str:
        value = str(self.cleaned_data["certificate"]).strip()
        if value and self.data.get("credential_kind") == CERTIFICATE and not self.cleaned_data.get("make"):
            read_certificate(value)
        return value

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("credential_kind")
        kept = self.kept(cleaned)
        if kind == SECRET:
            self._require_secret(cleaned, kept)
        if kind == CERTIFICATE and not kept and not cleaned.get("make"):
            self._require(
                "certificate", cleaned, _("Paste the certificate and its private key, or have one made here.")
            )
        return cleaned

    def kept(self, cleaned: dict[str, Any]) -> bool:
        return False

    def _require_secret(self, cleaned: dict[str, Any], kept: bool) -> None:
        if not kept:
            self._require("secret", cleaned, _("Paste the value of the client secret."))
        self._require("ends_on", cleaned, _("Enter the date on which the secret ends. Entra shows it as Expires."))

    def _require(self, name: str, cleaned: dict[str, Any], message: Any) -> None:
        """A field that has an error of its own is no news."""
        if not cleaned.get(name) and name not in self.errors:
            self.add_error(name, message)

    def credential(self) -> dict[str, Any]:
        """Kind, text and end date; no text where the stored one is kept, and of a federated one."""
        cleaned = self.cleaned_data
        kind = cleaned["credential_kind"]
        if kind == SECRET:
            return {"kind": kind, "credential": cleaned["secret"] or None, "ends_on": cleaned["ends_on"]}
        if kind == FEDERATED:
            return {"kind": kind, "credential": None, "ends_on": None}
        made = certificates.made(self.stored.tenant.name, timezone.now()) if cleaned["make"] else None
        return {"kind": kind, "credential": made or cleaned["certificate"] or None, "ends_on": None}


class EntraForm(EntraCredentialForm):
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
    field_order = ("cloud", "directory_id", "client_id")

    def __init__(self, *args: Any, stored: EntraConnection, **kwargs: Any) -> None:
        initial = {
            "cloud": stored.cloud,
            "directory_id": stored.directory_id,
            "client_id": stored.client_id,
            "credential_kind": stored.credential_kind,
            "ends_on": stored.credential_ends_on,
        }
        super().__init__(*args, stored=stored, **{**kwargs, "initial": initial})

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

    def kept(self, cleaned: dict[str, Any]) -> bool:
        """A stored credential goes on, for the destination that it was entered for."""
        kind = cleaned.get("credential_kind")
        stored = self.stored.credential_kind == kind and bool(self.stored.sealed_credential)
        if stored and not cleaned.get("make") and self._leads_elsewhere(cleaned):
            self._require("certificate" if kind == CERTIFICATE else "secret", cleaned, CREDENTIAL_AGAIN)
        return stored

    def _leads_elsewhere(self, cleaned: dict[str, Any]) -> bool:
        """A field that has an error of its own says nothing about it."""
        changed = any(cleaned.get(name) != getattr(self.stored, name) for name in DESTINATION)
        return changed and not self.errors.keys() & DESTINATION

    def values(self) -> dict[str, Any]:
        """The arguments of sync.connection.services.save_entra."""
        given = self.credential()
        kept = given["credential"] is None and given["kind"] == CERTIFICATE
        return {
            **{name: self.cleaned_data[name] for name in DESTINATION},
            "credential_kind": given["kind"],
            "credential": given["credential"],
            "ends_on": self.stored.credential_ends_on if kept else given["ends_on"],
        }


class TokenForm(forms.Form):
    """An access token of AWS."""

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"token_created_on": timezone.localdate()}, **kwargs})

    def clean_token(self) -> str:
        value = clean_token(str(self.cleaned_data["token"]))
        if not value and not self.kept():
            raise ValidationError(_("Paste the access token."))
        return value

    def kept(self) -> bool:
        """Whether the stored one goes on, when nothing is entered."""
        return False

    def clean_token_created_on(self) -> Any:
        value = self.cleaned_data["token_created_on"]
        if value > timezone.localdate() + datetime.timedelta(days=1):
            raise ValidationError(_("This day is still to come. Enter the date on which the token was created."))
        return value


class AwsForm(TokenForm):
    endpoint = forms.CharField(
        label=_("SCIM endpoint"),
        max_length=500,
        help_text=_("It looks like https://scim.eu-central-1.amazonaws.com/…/scim/v2"),
        error_messages={"required": _("Enter the SCIM endpoint.")},
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "class": "ls-mono"}),
    )
    # Before the token, which is asked for again where it is another one.
    field_order = ("endpoint",)

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

    def kept(self) -> bool:
        if self.stored.sealed_token and self.cleaned_data.get("endpoint", self.stored.endpoint) != self.stored.endpoint:
            raise ValidationError(TOKEN_AGAIN)
        return bool(self.stored.sealed_token)

    def values(self) -> dict[str, Any]:
        """The arguments of sync.connection.services.save_aws."""
        return {**self.cleaned_data, "token": self.cleaned_data["token"] or None}
