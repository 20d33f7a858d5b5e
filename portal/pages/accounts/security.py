"""How one signs in: password, second factors, recovery codes."""

from allauth.account.utils import get_next_redirect_url
from allauth.mfa.models import Authenticator
from django.http import HttpResponse

from portal.access import second_factor
from portal.access.pages import Audience, site_page
from portal.access.request import HttpRequest
from portal.frame.render import render_page


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
        "passkeys": [one for one in factors if one.type == Authenticator.Type.WEBAUTHN],
        "app": found.get(Authenticator.Type.TOTP),
        "codes": codes,
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "wanted": wanted,
    }
    return render_page(request, "accounts/security.html", context)
