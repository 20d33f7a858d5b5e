"""How django-allauth behaves here: accounts are made by an Owner only, and their second factors are sealed."""

import contextlib
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import half_done, second_factor, sign_ins
from portal.access.sealed_factors import SEALED_FOR
from portal.access.step_up import is_recent
from portal.access.throttle import TooManyTries, Try, What, begin_try, client_address
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

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        attempt = _begin_try(request, credentials.get("email", ""), "password")
        user: User | None = super().authenticate(request, **credentials)
        if user is None:
            attempt.failed()
        else:
            attempt.succeeded()
        return user

    def pre_login(self, request: HttpRequest, user: User, **facts: Any) -> HttpResponse | None:
        half_done.note(request, user)
        answer: HttpResponse | None = super().pre_login(request, user, **facts)
        return answer

    def is_safe_url(self, url: str | None) -> bool:
        """Whether it may be gone on to. What cannot be read as an address may not."""
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

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
        if settings.MICROSOFT_SIGN_IN and user.microsoft_key:
            own = {
                "id": "microsoft",
                "description": _("Sign in with Microsoft again"),
                "url": reverse("microsoft_start"),
            }
            methods = [*methods, own]
        # A passkey takes one touch.
        return sorted(methods, key=lambda one: not one["id"].endswith(":webauthn"))

    def is_reauthentication_required(self, *, app: str, **_kwargs: Any) -> bool:
        return not is_recent(context.request, context.request.user)


class Unreadable(ValidationError):
    """What is stored of a second factor does not open."""


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
            raise Unreadable(
                _(
                    "Your second factor cannot be read: it was damaged, or its key is missing from SEAL_KEYS. Ask whoever runs Lockstep."
                )
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


def _begin_try(request: HttpRequest, email: str, what: What) -> Try:
    try:
        return begin_try(request, email, what=what)
    except TooManyTries as error:
        sign_ins.note_lock(email)
        raise ValidationError(
            _("Too many tries. Try again at %(time)s.") % {"time": time_format(_in(error.wait), "H:i:s")},
            code=sign_ins.TOO_MANY,
        ) from error


def _in(seconds: int) -> datetime:
    return timezone.localtime() + timedelta(seconds=seconds)


class _EachCodeOnce:
    """A code is good for three periods, one to each side; allauth remembers it for one. It is taken once, and none from
    before it (RFC 6238 section 5.2)."""

    user: User
    authenticator: Authenticator
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        attempt = _begin_try(context.request, self.user.email, "code")
        try:
            code = self._good_code()
        except ValidationError:
            attempt.failed()
            sign_ins.note_failure(self.user, "code")
            raise
        attempt.succeeded()
        return code

    @transaction.atomic
    def _good_code(self) -> str:
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except Unreadable as error:
            code = self._code_of_another(error)
        if self.authenticator.type == Authenticator.Type.TOTP:
            app = Authenticator.objects.select_for_update().get(pk=self.authenticator.pk)
            step = _step_of(app, code)
            if step <= app.data.get("last_step", 0):
                raise SealedMFAAdapter().validation_error("incorrect_code")
            self.authenticator.data = app.data | {"last_step": step}
            self.authenticator.save(update_fields=["data"])
        return code

    def _code_of_another(self, error: Unreadable) -> str:
        """One factor that is damaged keeps nobody out who has another: allauth stops at it."""
        code: str = self.cleaned_data["code"]
        for factor in Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN):
            with contextlib.suppress(Unreadable):
                if factor.wrap().validate_code(code):
                    self.authenticator, factor.user = factor, self.user
                    return code
        raise error


def _step_of(app: Authenticator, code: str) -> int:
    """The period whose code this is."""
    key = unseal(app.data["secret"], SEALED_FOR)
    steps = (
        step for step in yield_hotp_counters_from_time() if format_hotp_value(hotp_value(key, step)) in _digits(code)
    )
    return max(steps, default=0)


def _digits(code: str) -> str:
    return "".join(letter for letter in code if letter.isdigit())


class CodeForm(_EachCodeOnce, AuthenticateForm):  # type: ignore[misc]
    pass


class CodeAgainForm(_EachCodeOnce, ReauthenticateForm):  # type: ignore[misc]
    pass
