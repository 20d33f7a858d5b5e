"""Passkeys: what no browser sends is refused in words, and what did not sign in stands in the audit log, since django-allauth has a signal
for codes alone."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms
from django import forms as django_forms
from django.core.exceptions import ValidationError

from portal.access import sign_ins
from portal.models import User

# JSON, CBOR and COSE of a stranger: too deep, too many digits, cut short, of other types.
NO_CREDENTIAL = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, struct.error)


@contextmanager
def refused_in_words() -> Iterator[None]:
    """Django and fido2 take apart what came without a look at its shape."""
    try:
        yield
    except NO_CREDENTIAL as error:
        raise get_adapter().validation_error("incorrect_code") from error


class CredentialField(django_forms.JSONField):
    widget = django_forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        with refused_in_words():
            return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Each try is signed anew: nothing of it goes back to the page."""
        return initial


class _Noted:
    # Who signs in with a passkey alone is not known before it is right.
    user: User | None

    def clean_credential(self) -> Authenticator:
        try:
            return self._right_credential()
        except ValidationError as error:
            sign_ins.note_failed_passkey(self.user, error)
            raise

    def _right_credential(self) -> Authenticator:
        with refused_in_words():
            return super().clean_credential()  # type: ignore[misc]


class SecondStepForm(_Noted, forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()


class SignInForm(_Noted, forms.LoginWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()


class AgainForm(_Noted, forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()
