"""How often somebody may try a password or a code.

Tries are counted by account *and* address: whoever guesses waits, longer each time, and nobody else does, neither the
owner of the account elsewhere nor others at the same address. An account or an address with many misses leaves a stranger
one try in place of five. A browser that has signed in before is known by a cookie and counted by itself, so that it is
not kept out by anybody (OWASP, Slow Down Online Guessing Attacks with Device Cookies).
"""

import hashlib
import ipaddress
import math
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from portal.models import TryCount, User

DAY = timedelta(days=1)
FREE_TRIES, FREE_TRIES_UNDER_ATTACK = 5, 1
# Misses of a day over all addresses, or at one address over all accounts (NIST SP 800-63B section 3.2.2: 100).
ATTACK = 100
# The first wait; each one is twice as long as the one before (the same section: 30 seconds up to an hour).
FIRST_WAIT, LONGEST_WAIT = 30, 3600
What = Literal["password", "code"]
DEVICE_SALT, DEVICE_AGE = "known device", timedelta(days=365)


class TooManyTries(Exception):
    """`wait`: seconds until the next try counts."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Try:
    """One that has begun and been counted. `who`: what is tried of which account; `place`: the known browser, or the address."""

    who: str
    place: str

    @property
    def pair(self) -> str:
        return _key(self.who, self.place)

    def succeeded(self) -> None:
        TryCount.objects.filter(key=self.pair).delete()

    def failed(self) -> None:
        for one in (self.who, self.place):
            count, _new = TryCount.objects.get_or_create(key=_key(one))
            TryCount.objects.filter(pk=count.pk).update(misses=F("misses") + 1)


def begin_try(request: HttpRequest, email: str, *, what: What = "password") -> Try:
    """Counts the try. Raises TooManyTries, without counting, while the wait after the last one is not over."""
    device = known_device(request, email)
    one = Try(f"{what} {email.strip().lower()}", device or network_of(client_address(request)))
    if what == "code" and not device and _misses(one.who) >= ATTACK:
        # Whoever comes so far has the password: a code is a million guesses, and many addresses make many of them.
        raise TooManyTries(LONGEST_WAIT)
    under_attack = max(_misses(one.who), _misses(one.place)) >= ATTACK
    _count(one.pair, FREE_TRIES_UNDER_ATTACK if under_attack else FREE_TRIES)
    return one


@transaction.atomic
def _count(pair: str, free: int) -> None:
    """After the last free try each one sets the time before which the next does not count."""
    TryCount.objects.filter(key=pair, since__lt=timezone.now() - DAY).delete()
    TryCount.objects.get_or_create(key=pair)
    count = TryCount.objects.select_for_update().get(key=pair)
    now = timezone.now()
    if count.waits_until and count.waits_until > now:
        raise TooManyTries(math.ceil((count.waits_until - now).total_seconds()))
    count.tries += 1
    if count.tries >= free:
        wait = min(FIRST_WAIT * 2 ** (count.tries - free), LONGEST_WAIT)
        count.waits_until = now + timedelta(seconds=wait)
    count.save(update_fields=["tries", "waits_until"])


def _misses(of: str) -> int:
    """Of the last day."""
    since = timezone.now() - DAY
    found = TryCount.objects.filter(key=_key(of), since__gt=since).values_list("misses", flat=True).first()
    return found or 0


def _key(*parts: str) -> str:
    """The table names nobody, whatever was typed."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def forget_old_tries() -> None:
    TryCount.objects.filter(since__lt=timezone.now() - DAY).delete()


# --- Where a request comes from ---


def client_address(request: HttpRequest) -> str:
    """Behind our own proxies each of them adds the address that it sees to X-Forwarded-For; what stands before is the
    client's own invention."""
    direct = _address(request.META.get("REMOTE_ADDR", "")) or "0.0.0.0"  # noqa: S104 - a unix socket has none
    passed_on = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
    if not settings.PROXIES or len(passed_on) < settings.PROXIES:
        return direct
    return _address(passed_on[-settings.PROXIES]) or direct


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def network_of(address: str) -> str:
    """One customer has a whole /64 of IPv6."""
    found = ipaddress.ip_address(address)
    return str(ipaddress.ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)


# --- Browsers that have signed in before ---


def know_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    if known_device(request, user.email):
        return
    value = signing.dumps({"who": user.email, "device": secrets.token_hex(8)}, salt=DEVICE_SALT)
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        value,
        max_age=DEVICE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def known_device(request: HttpRequest, who: str) -> str:
    """Empty when this browser has not signed in as that person."""
    try:
        facts = signing.loads(
            request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=DEVICE_SALT, max_age=DEVICE_AGE
        )
    except signing.BadSignature:
        return ""
    return f"device {facts['device']}" if facts["who"] == who.strip().lower() else ""
