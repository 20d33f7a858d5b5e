"""Where Microsoft Graph says that something changed. Anybody can call it, so that nothing is answered but that it was heard."""

import json

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from portal.access.pages import Audience, site_page
from portal.frame.problem import Problem, answer
from sync.directory import hints

# Graph sends up to a few hundred kilobytes; its handshake text is short.
MOST_BYTES, MOST_TEXT = 512 * 1024, 1024


@csrf_exempt
@site_page(act=Audience.ANYBODY)
def notifications(request: HttpRequest) -> HttpResponse:
    """Genuine or not: 202 at once. For what follows from it see sync/directory/hints.py."""
    if "validationToken" in request.GET:
        return _handshake(request, request.GET["validationToken"])
    if len(request.body) > MOST_BYTES:
        return _refuse(request, "too-large")
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        return _refuse(request, "bad-request")
    items = found.get("value") if isinstance(found, dict) else None
    if isinstance(items, list):
        hints.take(items)
    return HttpResponse(status=202)


def _handshake(request: HttpRequest, token: str) -> HttpResponse:
    """Graph, "Receive change notifications through webhooks": the token comes back as plain text, which no browser reads as a page."""
    if len(token) > MOST_TEXT:
        return _refuse(request, "bad-request")
    return HttpResponse(token, content_type="text/plain; charset=utf-8")


def _refuse(request: HttpRequest, code: str) -> HttpResponse:
    """Counted with the forged ones, in place of the line that Django has for each."""
    hints.note_refused(1)
    response = answer(request, Problem(code))
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
