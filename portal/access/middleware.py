"""What a person has to do before any page opens. It stands over every address: a page cannot forget to ask."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from portal.access import half_done, second_factor, sessions, unsent
from portal.access.demo import is_only_the_lab
from portal.access.pages import ask_to_sign_in
from portal.access.request import is_api, send_to
from portal.access.sign_ins import note_refusal
from portal.models import User

# The page that comes first -> what else is open until that is done. Signing out always is.
STEPS: Mapping[str, frozenset[str]] = {
    "password": frozenset(),
    "mfa_reauthenticate": frozenset({"mfa_reauthenticate_webauthn"}),
    "mfa_index": frozenset({"mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"}),
}
SIGN_OUT = "account_logout"


class SignInMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            # ASVS 5.0, V14.3.2: nothing that somebody who signed in has seen stays in the browser.
            response["Cache-Control"] = "no-store"
        note_refusal(request, response)
        return response

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _args: Iterable[Any], _kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        if is_api(request):
            # A browser's cookie must not act there: only a token signs in (portal/api/auth.py).
            request.user = AnonymousUser()
        if not isinstance(request.user, User):
            half_done.forget_stale(request)
            return None
        if sessions.is_over(request):
            return end(request, request.user)
        sessions.note_activity(request, request.user)
        unsent.forget_sent(request)
        match = request.resolver_match
        page = match.url_name if match else None
        first = first_step(request, request.user)
        if first is None or page in {first, SIGN_OUT} | STEPS[first]:
            return None
        return send_to(request, first)


def end(request: HttpRequest, user: User) -> HttpResponse:
    logout(request)
    unsent.note_end(request.session, user)
    messages.info(request, _("You were signed out, since nothing was done for a while. Sign in to go on."))
    return ask_to_sign_in(request)


def first_step(request: HttpRequest, user: User) -> str | None:
    """The page of STEPS that comes before all others; None: all are open."""
    if user.password_ends_at and not is_only_the_lab():
        return "password"
    if second_factor.was_given(request, user):
        return None
    if user.has_second_factor:
        return "mfa_reauthenticate"
    if second_factor.is_needed_by(user) and not is_only_the_lab():
        return "mfa_index"
    return None
