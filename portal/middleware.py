"""For every request: what no page takes is refused, then an id to quote, the time zone, and the id in every log line."""

import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import structlog
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.utils import timezone

NUL = "\0"


class InputMiddleware:
    """Stands before the session and before anything that reads the body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _refuse_nul([request.path_info, *request.COOKIES.values(), *_texts(request.GET)])
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _args: Iterable[Any], _kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """The session is known by now, the body is not read yet: CSRF's check, which reads it, comes after this one."""
        if request.method == "POST":
            _refuse_nul(_texts(_form_of(request)))
        return None


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
        response["X-Request-ID"] = request_id
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response


def _zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo:
    name = getattr(request.user, "time_zone", "UTC")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
