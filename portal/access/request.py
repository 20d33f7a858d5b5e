"""The request as our views see it: somebody is signed in, htmx says what it is after, numbers are numbers."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest as DjangoHttpRequest
from django.http import HttpResponse
from django.shortcuts import resolve_url
from django_htmx.middleware import HtmxDetails

from portal.models import User

# Addresses under it answer programs: problems in place of pages, tokens in place of sessions.
API = "/api/"
# A 64-bit number has room for any 18 digits.
MOST_DIGITS = 18


class HttpRequest(DjangoHttpRequest):
    user: User
    htmx: HtmxDetails


def whole_number(text: str) -> int | None:
    """What a request writes in plain digits; None for anything else, and for more digits than a row's number has.

    `isdigit()` alone also takes `²`, which `int()` refuses, and `int()` takes digits of every script.
    """
    plain = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    return int(text) if plain else None


def is_api(request: DjangoHttpRequest) -> bool:
    return request.path_info.startswith(API)


def send_to(request: DjangoHttpRequest, page: str, back: str = "") -> HttpResponse:
    """To a page that comes first, and that leads back here, or to `back`; an htmx request takes the whole page there."""
    url = resolve_url(page)
    if getattr(request, "htmx", False):
        whole = redirect_to_login(back, url)["Location"] if back else url
        return HttpResponse(status=401, headers={"HX-Redirect": whole})
    return redirect_to_login(back or request.get_full_path(), url)
