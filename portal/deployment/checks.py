"""What an installation must have: its keys, which no well-known one replaces, and TLS wherever others can reach it.

Django's system checks ask before every command that touches data; web server, worker and beat ask when they start, and
then also whether the ring opens what is stored.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connections

from sync.connection.loopback import is_loopback
from sync.keyring import parse_ring

MAKE_SIGNING_KEY = 'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
MAKE_SEAL_KEYS = (
    "python3 -c \"import base64, os; print(os.urandom(4).hex() + ':' + base64.b64encode(os.urandom(32)).decode())\""
)


@register(Tags.security)
def check_reach(**_: Any) -> Iterable[Error]:
    """ASVS V12.2.1: nobody signs in over a network without TLS."""
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme != "https" and not is_loopback(public.hostname or "") and not settings.INSECURE:
        message = f"PUBLIC_URL is {settings.PUBLIC_URL}: whoever signs in there sends the password in clear text."
        hint = "Put a proxy with TLS in front and set PUBLIC_URL=https://…; or set INSECURE=1."
        yield Error(message, hint=hint, id="portal.E003")


@register(Tags.security)
def check_keys(**_: Any) -> list[Error]:
    return [*_secret_key(), *_seal_keys()]


@register(Tags.security, deploy=True)
def check_tables(**_: Any) -> Iterable[Error]:
    """For `check --deploy`. A database that does not answer is no fault of what is deployed: every start tells of it."""
    from sync.runs.outages import NOT_MIGRATED, database_problem

    if database_problem() == NOT_MIGRATED:
        yield Error(NOT_MIGRATED, id="portal.E004")


def require_safe_settings() -> None:
    """Raises ImproperlyConfigured."""
    if problems := [*check_keys(), *check_reach()]:
        raise ImproperlyConfigured(" ".join(f"{problem.msg} {problem.hint}" for problem in problems))
    if unopened := _unopened():
        raise ImproperlyConfigured(" ".join(unopened))


def _unopened() -> list[str]:
    """A database that is not there yet, or not migrated, holds nothing to open: who needs it says so."""
    try:
        from sync.connection import rotation

        return rotation.problems(rotation.key_uses())
    except (DatabaseError, InterfaceError):
        return []
    finally:
        # A worker's processes are forked after this; they must not share a connection.
        connections.close_all()


def _secret_key() -> Iterable[Error]:
    try:
        settings.SECRET_KEY  # noqa: B018 - Django refuses to hand out an empty one
    except ImproperlyConfigured:
        hint = f"Set SECRET_KEY or SECRET_KEY_FILE. To make one: {MAKE_SIGNING_KEY}"
        yield Error("SECRET_KEY is not set.", hint=hint, id="portal.E001")


def _seal_keys() -> Iterable[Error]:
    try:
        parse_ring(settings.SEAL_KEYS)
    except ImproperlyConfigured as error:
        hint = f"Set SEAL_KEYS or SEAL_KEYS_FILE. To make a first line: {MAKE_SEAL_KEYS}"
        yield Error(str(error), hint=hint, id="portal.E002")
