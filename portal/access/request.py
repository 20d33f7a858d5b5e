"""The request as our views see it: somebody is signed in, htmx says what it is after, numbers are numbers."""

from django.http import HttpRequest as DjangoHttpRequest
from django_htmx.middleware import HtmxDetails

from portal.models import User

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
