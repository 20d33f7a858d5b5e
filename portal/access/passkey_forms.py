"""Passkeys that did not sign in, in the audit log: django-allauth has a signal for codes alone."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms
from django.core.exceptions import ValidationError

from portal.access import sign_ins
from portal.models import User


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
        try:
            return super().clean_credential()  # type: ignore[misc]
        except (KeyError, TypeError, ValueError) as error:
            # What no browser sends: fido2 takes it apart without a look at its shape.
            raise get_adapter().validation_error("incorrect_code") from error


class SecondStepForm(_Noted, forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class SignInForm(_Noted, forms.LoginWebAuthnForm):  # type: ignore[misc]
    pass


class AgainForm(_Noted, forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    pass
