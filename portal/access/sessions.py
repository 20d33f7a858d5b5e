"""Sessions: how long they last, where somebody is signed in, and how one is ended from elsewhere.

Two limits, which no page moves (ASVS 5.0, V7.3.1 and V7.3.2; NIST SP 800-63B section 2.2.3): SESSION_IDLE_SECONDS
without anything that the person did, SESSION_COOKIE_AGE since signing in.
"""

import time
from typing import Any

from allauth.account.signals import user_logged_in as user_came_in
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from portal.access import unsent
from portal.access.throttle import client_address, know_device
from portal.models import SignedIn, User

SIGNED_IN_AT, SEEN_AT = "signed_in_at", "seen_at"
# The time of the last request is kept to the minute: a session is not written at each.
SEEN_SECONDS = 60


@receiver(user_logged_in)
def on_signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    request.session[SIGNED_IN_AT] = time.time()
    unsent.note_sign_in(request.session, user)
    see(request, user)


@receiver(user_came_in)
def on_came_in(request: HttpRequest, user: User, response: HttpResponse, **_: Any) -> None:
    know_device(request, response, user)


def is_over(request: HttpRequest) -> bool:
    now, session = time.time(), request.session
    since = session.get(SIGNED_IN_AT, 0.0)
    seen = session.get(SEEN_AT, 0.0)
    return bool(since < now - settings.SESSION_COOKIE_AGE or seen < now - settings.SESSION_IDLE_SECONDS)


def note_activity(request: HttpRequest, user: User) -> None:
    """What a page asks for by itself, every few seconds, is nothing that the person did."""
    by_itself = request.method != "POST" and "HX-Request" in request.headers
    if not by_itself and request.session.get(SEEN_AT, 0.0) < time.time() - SEEN_SECONDS:
        see(request, user)


def see(request: HttpRequest, user: User) -> None:
    """Now, under the key that the session has now."""
    request.session[SEEN_AT] = time.time()
    if not request.session.session_key:
        request.session.create()
    facts = {"user": user, "address": client_address(request), "browser": request.headers.get("User-Agent", "")[:300]}
    SignedIn.objects.update_or_create(session_key=request.session.session_key, defaults=facts)


def ends_in(request: HttpRequest) -> int:
    """Seconds until the session is over by itself, with nothing done meanwhile."""
    session = request.session
    idle = session.get(SEEN_AT, 0.0) + settings.SESSION_IDLE_SECONDS
    return int(min(idle, session.get(SIGNED_IN_AT, 0.0) + settings.SESSION_COOKIE_AGE) - time.time())


def sessions_of(user: User) -> list[SignedIn]:
    """Where somebody is signed in now, newest first."""
    rows = list(SignedIn.objects.filter(user=user).order_by("-seen_at"))
    keys = [row.session_key for row in rows]
    alive = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now()).values_list(
            "session_key", flat=True
        )
    )
    return [row for row in rows if row.session_key in alive]


def end_sessions(user: User, *, but: str | None = None) -> int:
    """All of them, or all but one key; how many."""
    return _end(list(SignedIn.objects.filter(user=user).exclude(session_key=but or "")))


def end_session(user: User, pk: int) -> bool:
    return _end(list(SignedIn.objects.filter(user=user, pk=pk))) > 0


def _end(rows: list[SignedIn]) -> int:
    ended, _by_table = Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
    SignedIn.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return ended


def forget_old_sessions() -> None:
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    SignedIn.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
