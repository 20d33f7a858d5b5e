"""For every request: what no page takes is refused, then an id to quote, the time zone, and the id in every log line."""

import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.utils import timezone

from portal.access.pages import may_send_file
from portal.access.request import whole_number
from portal.frame import errors

NUL = "\0"


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
        _refuse_nul([request.path_info, *request.COOKIES.values(), *_texts(request.GET)])
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Iterable[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """The session is known by now, the body is not read yet: CSRF's check, which reads it, comes after this one."""
        if _announced(request) > settings.BODY_BYTES and not may_send_file(request, view, kwargs):
            return errors.too_large(request)
        if request.method == "POST":
            _refuse_nul(_texts(_form_of(request)))
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


def _refuse_nul(texts: Iterable[str]) -> None:
    """PostgreSQL stores no NUL, and no page has a use for one."""
    if any(NUL in text for text in texts):
        raise BadRequest("A NUL character.")


class RequestMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex[:12].upper()
        request.META["REQUEST_ID"] = request_id
        with structlog.contextvars.bound_contextvars(request=request_id), timezone.override(_zone_of(request)):
            response = self.get_response(request)
            if response.status_code == 405 and not response.content:
                response = errors.not_allowed(request, response)
        response["X-Request-ID"] = request_id
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response


def _zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo:
    name = getattr(request.user, "time_zone", "UTC")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
