"""How one signs in: password, second factors, recovery codes."""

from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from portal.access import second_factor, sessions, unsent
from portal.access.pages import Audience, site_page
from portal.access.request import HttpRequest
from portal.frame.render import redirect_to, render_page
from sync import audit


class Codes(ViewRecoveryCodesView):  # type: ignore[misc]
    template_name = "accounts/codes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if context["can_view_codes"]:
            # Once: they are secrets.
            user = self.request.user
            audit.record(user.email, "user.show_codes", user, None, {"codes": len(context["unused_codes"])})
        return context

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What is stored may be damaged, or its key lost: only new ones help."""
        try:
            answer: HttpResponse = super().get(request, *args, **kwargs)
        except ValidationError:
            return redirect_to(request, "mfa_generate_recovery_codes")
        return answer


class NewCodes(GenerateRecoveryCodesView):  # type: ignore[misc]
    template_name = "accounts/codes_renew.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """`unused_code_count`: None when the old ones cannot be read."""
        try:
            context: dict[str, Any] = super().get_context_data(**kwargs)
        except ValidationError:
            context = super(GenerateRecoveryCodesView, self).get_context_data(**kwargs) | {"unused_code_count": None}
        return context


def _left(codes: Authenticator | None) -> int | None:
    """How many there are; None: they cannot be read."""
    try:
        return len(codes.wrap().get_unused_codes()) if codes else 0
    except ValidationError:
        return None


@site_page(read=Audience.SIGNED_IN)
def overview(request: HttpRequest) -> HttpResponse:
    user = request.user
    wanted = second_factor.is_needed_by(user) and not second_factor.has_one(user)
    if wanted and (url := get_next_redirect_url(request)):
        # For the page that shows the recovery codes, the last one of setting up.
        request.session["go_on_to"] = url
    factors = list(Authenticator.objects.filter(user=user).order_by("pk"))
    found = {one.type: one for one in factors}
    codes = found.get(Authenticator.Type.RECOVERY_CODES)
    context = {
        "sessions": sessions.sessions_of(user),
        "here": request.session.session_key,
        "passkeys": [one for one in factors if one.type == Authenticator.Type.WEBAUTHN],
        "app": found.get(Authenticator.Type.TOTP),
        "codes": codes,
        "codes_left": _left(codes),
        "wanted": wanted,
    }
    return render_page(request, "accounts/security.html", context)


@site_page(read=Audience.SIGNED_IN)
def what_was_unsent(request: HttpRequest) -> HttpResponse:
    """A form that arrived after the session had ended, to look at and to send."""
    return render_page(request, "accounts/unsent.html", {"unsent": unsent.unsent_of(request, request.user)})


@site_page(act=Audience.SIGNED_IN)
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """One of one's own, elsewhere or here."""
    if sessions.end_session(request.user, pk):
        audit.record(request.user.email, "user.end_sessions", request.user, {"sessions": 1}, {"sessions": 0})
        messages.success(request, _("That browser is signed out."))
    return redirect_to(request, "mfa_index")


@site_page(act=Audience.SIGNED_IN)
def sessions_end(request: HttpRequest) -> HttpResponse:
    if ended := sessions.end_sessions(request.user, but=request.session.session_key):
        audit.record(request.user.email, "user.end_sessions", request.user, {"sessions": ended}, {"sessions": 0})
        messages.success(request, _("Everywhere else you are signed out."))
    return redirect_to(request, "mfa_index")


@site_page(read=Audience.SIGNED_IN, act=Audience.SIGNED_IN)
def session(request: HttpRequest) -> HttpResponse:
    """How long it lasts. A page that is open asks by itself, which keeps nothing alive; *Stay signed in* is a POST."""
    return JsonResponse({"seconds": sessions.ends_in(request)})
