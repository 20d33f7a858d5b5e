"""To Microsoft's sign-in page and back: to sign in, to confirm, or to connect one's account."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.access import microsoft
from portal.access.step_up import StepUp, ask, is_asked
from portal.access.users import Refused
from portal.models import User
from sync.connection import web_sign_in
from sync.connection.web_sign_in import App, GraphError, Person
from sync.directory.patience import SECONDS, SIGN_INS, Patience

FLOW = "microsoft_flow"


def the_app() -> App:
    app = web_sign_in.app(settings.PUBLIC_URL + reverse("microsoft_answer"))
    if app is None:
        raise Http404
    return app


def start(request: HttpRequest) -> HttpResponse:
    """Whoever is signed in already confirms, and gives the password there anew."""
    app, flow = the_app(), web_sign_in.new_flow()
    # To whose account: somebody else, or nobody, may have begun it at the same browser.
    user = request.user if "connect" in request.GET and isinstance(request.user, User) else None
    if user and is_asked(request, user, StepUp.TO_OPEN):
        # It is another way in: an open session alone does not make one (ASVS 5.0, V7.5.1).
        return ask(request, user, StepUp.TO_OPEN)
    request.session[FLOW] = flow | {"next": get_next_redirect_url(request) or "", "connect": user.pk if user else None}
    return HttpResponseRedirect(web_sign_in.address(app, flow, again=request.user.is_authenticated))


def answer(request: HttpRequest) -> HttpResponse:
    """The flow is used up, whatever the answer is."""
    app, flow = the_app(), request.session.pop(FLOW, None)
    if flow is None:
        return _failed(request, _("This sign-in was begun elsewhere, or long ago. Try again."))
    try:
        # Anybody may come here, as often as they like: a slow Microsoft must not take all threads with them.
        with Patience(SECONDS, slots=SIGN_INS)():
            person = web_sign_in.redeem(app, flow, request.GET.dict())
        if isinstance(request.user, User):
            return _signed_in(request, request.user, person, flow)
        return _sign_in(request, person, flow)
    except (GraphError, Refused) as error:
        return _failed(request, str(error))


def _sign_in(request: HttpRequest, person: Person, flow: dict[str, Any]) -> HttpResponse:
    user = microsoft.user_of(person)
    if user is None and person.groups_left_out:
        return _failed(request, _("Entra sent no groups, since there are too many. Assign app roles instead."))
    if user is None:
        return _failed(request, _("Nothing in Entra gives %(address)s a role here.") % {"address": person.address})
    _record(request, user, person)
    found: HttpResponse = perform_login(request, Login(user=user, redirect_url=flow["next"] or None))
    return found


def _signed_in(request: HttpRequest, user: User, person: Person, flow: dict[str, Any]) -> HttpResponse:
    if flow["connect"] == user.pk:
        microsoft.connect(user, person)
        messages.success(request, _("Your account is connected to Microsoft."))
        return redirect("mfa_index")
    if person.key != user.microsoft_key:
        return _failed(request, _("That is another Microsoft account than yours."))
    _record(request, user, person)
    request.GET = QueryDict(urlencode({"next": flow["next"]}))
    found: HttpResponse | None = resume_request(request)
    return found or redirect("tenants")


def _record(request: HttpRequest, user: User, person: Person) -> None:
    """What Microsoft has seen: the person, and maybe a second factor (RFC 8176, `mfa`)."""
    record_authentication(request, user, "microsoft", reauthenticated=True)
    if person.by_mfa:
        record_authentication(request, user, "mfa", type="microsoft", reauthenticated=True)


def _failed(request: HttpRequest, words: str) -> HttpResponse:
    messages.error(request, _("Sign-in with Microsoft failed: %(words)s") % {"words": words})
    return redirect("mfa_index" if request.user.is_authenticated else "account_login")
