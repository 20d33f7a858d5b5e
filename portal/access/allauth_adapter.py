"""How django-allauth behaves here: accounts are made by an Owner only, and their second factors are sealed."""

import time
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import second_factor
from portal.access.sealed_factors import SEALED_FOR
from portal.models import User
from sync.connection.sealing import CannotOpen, seal, unseal

# What allauth says after something was done, in our words; the page itself says the rest.
MESSAGES = {
    "account/messages/logged_out.txt": gettext_lazy("You are signed out."),
    "mfa/messages/totp_activated.txt": gettext_lazy("The app is set up."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("The app is removed."),
    "mfa/messages/webauthn_added.txt": gettext_lazy("The passkey is added."),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("The passkey is removed."),
}


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str = "",
        *_args: Any,
        message: str = "",
        **_kwargs: Any,
    ) -> None:
        if words := message or MESSAGES.get(message_template):
            messages.add_message(request, level, words)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        """Whoever has a second factor gives that one: an open session and a password are no two things."""
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        methods = [one for one in methods if one["id"] != "reauthenticate"] or methods
        # A passkey takes one touch.
        return sorted(methods, key=lambda one: not one["id"].endswith(":webauthn"))

    def is_reauthentication_required(self, *, app: str, **_kwargs: Any) -> bool:
        """Whoever signed in a moment ago is not asked again."""
        request = context.request
        records = get_authentication_records(request, request.user)
        return not records or records[-1]["at"] < time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


class SealedMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This code or passkey is not right, or was used already. Try again with the next one."
        ),
        "cannot_delete_authenticator": gettext_lazy(
            "Your role needs a second factor. Set up another one first, then remove this one."
        ),
    }

    def encrypt(self, text: str) -> str:
        return seal(text, SEALED_FOR)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return unseal(encrypted_text, SEALED_FOR)
        except CannotOpen as error:
            raise ValidationError(
                _("Your second factor cannot be read: its key is missing from SEAL_KEYS. Ask whoever runs Lockstep.")
            ) from error

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last one stays while the person's role needs one."""
        others = Authenticator.objects.filter(user=authenticator.user, type__in=second_factor.FACTORS)
        return others.exclude(pk=authenticator.pk).exists() or not second_factor.is_needed_by(authenticator.user)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's word
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("Passkey %(number)s") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the address that people use, never to another name of this server."""
        return {"id": urlsplit(settings.PUBLIC_URL).hostname or "", "name": "Lockstep"}


class _EachCodeOnce:
    """A code is good for three periods, one to each side; allauth remembers it for one (RFC 6238 section 5.2: once)."""

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        seconds = 3 * settings.MFA_TOTP_PERIOD
        if self.authenticator.type == Authenticator.Type.TOTP and not cache.add(self._key(code), 1, seconds):
            raise SealedMFAAdapter().validation_error("incorrect_code")
        return code

    def _key(self, code: str) -> str:
        digits = "".join(letter for letter in code if letter.isdigit())
        return f"totp:{self.user.pk}:{digits}"


class CodeForm(_EachCodeOnce, AuthenticateForm):  # type: ignore[misc]
    pass


class CodeAgainForm(_EachCodeOnce, ReauthenticateForm):  # type: ignore[misc]
    pass
