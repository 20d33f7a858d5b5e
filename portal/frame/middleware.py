"""For every request: an id to quote, which every log line and audit entry has; what no page takes is refused; language and time zone."""

import re
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.utils import timezone, translation
from whitenoise.middleware import WhiteNoiseFileResponse, WhiteNoiseMiddleware

from portal.access.languages import speak
from portal.access.pages import may_send_file
from portal.access.quota import TooOften
from portal.access.request import is_api, whole_number
from portal.access.throttle import client_address
from portal.frame import errors
from sync import context

# Control characters but tab and the ends of a line (Unicode, category Cc): no page has a use for one, PostgreSQL stores
# no NUL, and in a log or a terminal the others are commands.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Within an address or a cookie there are no lines either.
ANY_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class ContextMiddleware:
    """Stands before all that may log. Django logs refusals after the last middleware: the end of the request ends it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = context.new_request_id()
        request.META["REQUEST_ID"] = request_id
        context.begin(request=request_id, address=client_address(request))
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


@receiver(request_finished)
def end_context(**_: Any) -> None:
    context.begin()
    # The next request of this thread may be refused before it is known who asks.
    translation.deactivate()


class StaticMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """The list of all files is the server's own."""

    def add_file_to_dictionary(self, url: str, *facts: Any, **named: Any) -> None:
        if not url.endswith("/staticfiles.json"):
            super().add_file_to_dictionary(url, *facts, **named)


class InputMiddleware:
    """Stands before the session and before anything that reads the body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "HTTP_TRANSFER_ENCODING" in request.META:
            # Django reads a body by its Content-Length alone: it would take this one for empty.
            return errors.length_required(request)
        if _announced(request) > settings.FILE_BODY_BYTES:
            return errors.too_large(request)
        _refuse(ANY_CONTROL, [request.path_info, *request.COOKIES.values()])
        _refuse(CONTROL, _texts(request.GET))
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Iterable[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """The session is known by now, the body is not read yet: CSRF's check, which reads it, comes after this one."""
        if _announced(request) > settings.BODY_BYTES and not may_send_file(request, view, kwargs):
            return errors.too_large(request)
        if request.method == "POST" and not is_api(request):
            _refuse(CONTROL, _texts(_form_of(request)))
        return None


def _announced(request: HttpRequest) -> int:
    """RFC 9110 section 8.6. A server passes on digits only; anything else came around it."""
    length = whole_number(request.META.get("CONTENT_LENGTH") or "0")
    if length is None:
        raise BadRequest("Content-Length is no number.")
    return length


def _form_of(request: HttpRequest) -> QueryDict:
    try:
        return request.POST
    except UnreadablePostError:
        raise BadRequest("The connection ended within the body.") from None


def _texts(query: QueryDict) -> Iterator[str]:
    for name, values in query.lists():
        yield name
        yield from values


def _refuse(characters: re.Pattern[str], texts: Iterable[str]) -> None:
    if any(characters.search(text) for text in texts):
        raise BadRequest("A control character.")


class HeadersMiddleware:
    """Stands before the static files: what every answer says to browsers, and to caches on the way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if not isinstance(response, WhiteNoiseFileResponse):
            # Pages, exports and errors alike: each may hold what only this person may see (ASVS V14.3.2).
            response["Cache-Control"] = "no-store"
        if _signed_out(request):
            # Not "cookies": that would take those of other services under the same domain along (Clear Site Data, section 3).
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response


def _signed_out(request: HttpRequest) -> bool:
    match = request.resolver_match
    return request.method == "POST" and match is not None and match.url_name == "account_logout"


class RequestMiddleware:
    """Stands after the session: from here on it is known who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        context.add(actor=getattr(request.user, "email", ""))
        speak(request)
        with timezone.override(_zone_of(request)):
            response = self.get_response(request)
            if response.status_code == 405 and (not response.content or is_api(request)):
                response = errors.not_allowed(request, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.too_often(request, exception.wait) if isinstance(exception, TooOften) else None


def _zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo:
    name = getattr(request.user, "time_zone", "UTC")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
