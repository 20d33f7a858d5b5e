"""How one signs in: password, second factors, recovery codes."""

from allauth.account.utils import get_next_redirect_url
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from portal.access import second_factor, sessions
from portal.access.pages import Audience, site_page
from portal.access.request import HttpRequest
from portal.frame.render import redirect_to, render_page
from sync import audit


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
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "wanted": wanted,
    }
    return render_page(request, "accounts/security.html", context)


@site_page(act=Audience.SIGNED_IN)
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """One of one's own, elsewhere or here."""
    if sessions.end_session(request.user, pk):
        audit.record(request.user.email, "user.end_session", request.user)
        messages.success(request, _("That browser is signed out."))
    return redirect_to(request, "mfa_index")


@site_page(act=Audience.SIGNED_IN)
def sessions_end(request: HttpRequest) -> HttpResponse:
    if sessions.end_sessions(request.user, but=request.session.session_key):
        audit.record(request.user.email, "user.end_sessions", request.user)
        messages.success(request, _("Everywhere else you are signed out."))
    return redirect_to(request, "mfa_index")


@site_page(read=Audience.SIGNED_IN, act=Audience.SIGNED_IN)
def session(request: HttpRequest) -> HttpResponse:
    """How long it lasts. A page that is open asks by itself, which keeps nothing alive; *Stay signed in* is a POST."""
    return JsonResponse({"seconds": sessions.ends_in(request)})
