"""Typed readers of the process environment; every secret may also come from a file named by NAME_FILE."""

import contextlib
import json
import os
import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def flag(name: str, default: bool = False) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value in {"", "0", "1", "true", "false", "yes", "no"}:
        return default if not value else value in {"1", "true", "yes"}
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to 1 or 0.")


def number(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    try:
        return int(value) if value else default
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to a whole number.") from error


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def secret(name: str, default_file: Path | None = None) -> str:
    """The secret itself from NAME, else the content of the file that NAME_FILE (or the default) points to.

    A file that is named and cannot be read is an error: a wrong path must not pass for "no secret"."""
    if value := os.environ.get(name):
        return value
    if named := os.environ.get(f"{name}_FILE"):
        return _content(name, Path(named))
    return default_file.read_text().strip() if default_file and default_file.is_file() else ""


def _content(name: str, path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE is {str(path)!r}, which cannot be read: {error}.") from error


PROXY_FORM = re.compile(r"http://([^:/?#@\s]+:[^:/?#@\s]+@)?([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):[0-9]+/?")


def proxy(name: str) -> str | None:
    """A forward proxy's URL. It may hold a password: no error quotes it."""
    value = secret(name)
    if value and not _is_proxy(value):
        raise ImproperlyConfigured(
            f"{name} is not the address of a proxy. It reads http://host:port or http://user:password@host:port, "
            "with / : @ ? # % in name and password percent-encoded."
        )
    return value or None


def _is_proxy(url: str) -> bool:
    """Name and password stay within Latin-1: both HTTP clients send Basic authentication so (RFC 7617 section 2.1)."""
    try:
        port = parse_url(url).port if PROXY_FORM.fullmatch(url) else None
    except LocationParseError:
        return False
    return bool(port) and all(ord(letter) < 256 for letter in unquote(url))


def ca_file(name: str) -> str | None:
    """A PEM file of certificate authorities, read once to see that it can be."""
    path = os.environ.get(name)
    if not path:
        return None
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} is {path!r}, which cannot be read as certificate authorities: {error.strerror or error}. "
            "Name a file of PEM certificates."
        ) from error
    return path


# What commands beside a running `up` have to know: they belong to the same broker and the same lab.
SHARED = ("PUBLIC_URL", "ALLOWED_HOSTS", "BROKER_URL", "EXTRA_CLOUDS", "EXTRA_SCIM_HOSTS", "FEDERATED_TOKEN_FILE")

# The names of what `recall` put into this process's environment.
RECALLED: set[str] = set()


def remembered(state: Path) -> Path:
    return state / "run" / "environment.json"


def remember(state: Path, variables: dict[str, str]) -> None:
    """For commands that are started beside a running `up`: the same broker, the same lab. No secrets."""
    remembered(state).write_text(json.dumps(variables))


def recall(state: Path) -> None:
    """What `up` remembered becomes the default of this process; its own variables win."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        facts = json.loads(remembered(state).read_text())
        RECALLED.update((facts.keys() & set(SHARED)) - os.environ.keys())
        os.environ.update({name: facts[name] for name in RECALLED})


def given() -> dict[str, str]:
    """What the caller set, without what was recalled: another `up` has its own address, broker and lab."""
    return {name: value for name, value in os.environ.items() if value and name not in RECALLED}


ENGINES = {
    "postgres": "django.db.backends.postgresql",
    "postgresql": "django.db.backends.postgresql",
    "sqlite": "django.db.backends.sqlite3",
}

# Measured: without IMMEDIATE, concurrent read-modify-write transactions fail with "database is locked".
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728; "
        "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=2000;"
    ),
}


def database(url: str) -> dict[str, Any]:
    """A Django DATABASES entry from sqlite:///path or postgresql://user:password@host:port/name?option=value."""
    parts = urlsplit(url)
    if parts.scheme not in ENGINES:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql:// or sqlite:///.")
    if parts.scheme == "sqlite":
        return {"ENGINE": ENGINES["sqlite"], "NAME": parts.path, "OPTIONS": SQLITE_OPTIONS}
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": ENGINES[parts.scheme],
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A unix socket directory cannot be in a URL's host part: libpq's own ?host= does it.
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 600,
    }
