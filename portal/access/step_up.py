"""What matters most asks again who is there, unless that was shown a moment ago (ASVS 5.0, V7.5.3)."""

import time
from enum import Enum

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import suspend_request
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from portal.access import second_factor
from portal.access.demo import is_only_the_lab
from portal.access.unsent import MOST_BYTES
from portal.models import User


class StepUp(Enum):
    """`TO_ACT`: a POST waits in the session, up to MOST_BYTES, until the person has confirmed, and is then carried out. `TO_OPEN`: the page
    itself asks first, since what its form holds must not wait anywhere."""

    TO_ACT = "to act"
    TO_OPEN = "to open"


def is_recent(request: HttpRequest, user: User) -> bool:
    """By the second factor where there is one: an open session and a password are no two things."""
    records = get_authentication_records(request, user)
    if second_factor.has_one(user):
        records = [record for record in records if record["method"] == "mfa"]
    newest = max((record["at"] for record in records), default=0.0)
    return bool(newest > time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def is_asked(request: HttpRequest, user: User, step_up: StepUp | None) -> bool:
    if step_up is None or (step_up is StepUp.TO_ACT and request.method != "POST"):
        return False
    return not is_recent(request, user) and not is_only_the_lab()


def ask(request: HttpRequest, user: User, step_up: StepUp) -> HttpResponse:
    """To the page that asks, and back."""
    methods = get_adapter().get_reauthentication_methods(user)
    page = methods[0]["url"] if methods else resolve_url(settings.LOGIN_URL)
    waits = step_up is StepUp.TO_ACT and len(request.POST.urlencode()) <= MOST_BYTES
    if request.method == "POST" and not waits:
        messages.warning(request, _("Nothing was saved yet. Confirm that it is you, then enter it again."))
    if waits:
        answer: HttpResponse = suspend_request(request, page)
    else:
        # To the page of a secret there is a way back; what else is that large is sent by no form of ours.
        to = request.get_full_path() if step_up is StepUp.TO_OPEN else resolve_url(settings.LOGIN_REDIRECT_URL)
        answer = redirect_to_login(to, page)
    if getattr(request, "htmx", False):
        return HttpResponse(status=401, headers={"HX-Redirect": answer["Location"]})
    return answer
