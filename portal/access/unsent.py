"""A form that arrives after its session ended: kept for its person, who sees it after signing in again and sends it, or not.

It is carried out by nobody but that person's press: whoever sat at the browser meanwhile may have written it.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from portal.access.request import send_to
from portal.models import User

# In the session: whose it was before it ended, and what came then.
ENDED, UNSENT = "ended", "unsent"
MOST_BYTES = 64 * 1024
KEPT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Unsent:
    """`path`: where to. `fields`: name and value, as often as it was there."""

    path: str
    fields: list[tuple[str, str]]

    @property
    def written(self) -> list[tuple[str, str]]:
        """For people."""
        return [(name.replace("_", " "), value) for name, value in self.fields if value.strip()]


def note_end(session: SessionBase, user: User) -> None:
    """In the empty session that follows."""
    session[ENDED] = {"user": user.pk, "at": time.time()}


def note_sign_in(session: SessionBase, user: User) -> None:
    """Whoever else it was left by, it is not this person's to see."""
    session.pop(ENDED, None)
    if session.get(UNSENT, {}).get("user") != user.pk:
        session.pop(UNSENT, None)


def sign_in_first(request: HttpRequest, *, may_wait: bool) -> HttpResponse:
    """`may_wait`: what this page takes may lie in the session for a while: it holds no secret."""
    ended = _recent(request.session.get(ENDED))
    if request.method == "POST" and may_wait and ended and (fields := _fields(request)):
        request.session[UNSENT] = ended | {"path": request.get_full_path(), "fields": fields, "at": time.time()}
        return send_to(request, settings.LOGIN_URL, back=resolve_url("unsent"))
    return send_to(request, settings.LOGIN_URL)


def _recent(found: dict[str, Any] | None) -> dict[str, Any] | None:
    return found if found and found["at"] > time.time() - KEPT_SECONDS else None


def _fields(request: HttpRequest) -> list[tuple[str, str]]:
    found = [
        (name, value) for name, values in request.POST.lists() for value in values if name != "csrfmiddlewaretoken"
    ]
    small = sum(len(name) + len(value) for name, value in found) <= MOST_BYTES
    return found if small and not request.FILES else []


def unsent_of(request: HttpRequest, user: User) -> Unsent | None:
    found = _recent(request.session.get(UNSENT))
    if found is None or found["user"] != user.pk:
        return None
    return Unsent(found["path"], [(name, value) for name, value in found["fields"]])


def forget_sent(request: HttpRequest) -> None:
    found = request.session.get(UNSENT)
    if found and request.method == "POST" and found["path"] == request.get_full_path():
        del request.session[UNSENT]
