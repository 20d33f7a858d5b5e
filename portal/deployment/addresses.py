"""Settings that are URLs: database, broker, forward proxy, and where people find Lockstep.

They may hold passwords, and a character that should be percent-encoded moves parts of one into the host, the port or the
path: no error quotes anything of them.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from portal.deployment.environ import check_ca_file, secret, text
from sync.connection.loopback import is_loopback

ENCODE = "In name and password, characters such as / : @ ? # % [ are percent-encoded (%2F for /)."

# Measured: without IMMEDIATE, concurrent read-modify-write transactions fail with "database is locked".
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # A sync asks in more ways than the 128 that sqlite3 keeps prepared.
    "cached_statements": 1024,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728; "
        "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=2000;"
    ),
}


def origin(name: str, default: str) -> str:
    """http(s)://host[:port], without a slash at its end."""
    value = text(name, default).rstrip("/")
    parts = _split(value)
    if parts is None or parts.scheme not in ("http", "https") or value != f"{parts.scheme}://{_host_and_port(parts)}":
        raise ImproperlyConfigured(
            f"{name} is not the address of this installation. It reads https://host or https://host:port, without a path."
        )
    return value


def host_of(url: str) -> str:
    """As it stands in a Host header: IPv6 in brackets."""
    name = urlsplit(url).hostname or ""
    return f"[{name}]" if ":" in name else name


def _host_and_port(parts: SplitResult) -> str | None:
    """None where there is a user, too, or no host."""
    return parts.netloc if parts.hostname and "@" not in parts.netloc else None


def database(name: str, default_file: Path) -> dict[str, Any]:
    """A Django DATABASES entry from sqlite:///path or postgresql://user:password@host:port/name?option=value."""
    url = secret(name)
    if not url:
        return _sqlite(str(default_file))
    parts = _split(url)
    if parts is not None and parts.scheme == "sqlite" and not parts.netloc and parts.path.strip("/"):
        return _sqlite(parts.path)
    if parts is None or parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            f"{name} cannot be read. It reads postgresql://user:password@host:port/name or sqlite:////path/of/the/file. {ENCODE}"
        )
    return _postgresql(name, parts)


def _sqlite(path: str) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": SQLITE_OPTIONS}


def _postgresql(name: str, parts: SplitResult) -> dict[str, Any]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    _check_options(name, options)
    return {
        "ENGINE": "django.db.backends.postgresql",
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


def _check_options(name: str, options: dict[str, str]) -> None:
    """Those of libpq (PostgreSQL manual, "Parameter Key Words")."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    for option in options:
        try:
            make_conninfo(**{option: "x"})
        except ProgrammingError:
            raise ImproperlyConfigured(
                f"{name} has an option after its ? that PostgreSQL's client does not know. Check its spelling, such as sslmode."
            ) from None


BROKERS = ("redis", "rediss", "redis+socket", "amqp", "amqps", "filesystem", "memory")
# Options of TLS: how each may be written, and the spelling that kombu, which reads for Celery, and redis-py both take.
# Celery's documents have the constants of Python's ssl, which redis-py does not know.
SPELLINGS = {
    "ssl_cert_reqs": {f"{prefix}{word}": word for word in ("required", "optional", "none") for prefix in ("", "cert_")},
    "ssl_check_hostname": {"true": "true", "false": "false"},
}
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


def broker(name: str, default: str) -> str:
    """The broker's URL in the form that kombu and redis-py read alike."""
    url = secret(name)
    if not url:
        return default
    parts = _split(url)
    if parts is None or parts.scheme not in BROKERS or not _is_complete(parts):
        raise ImproperlyConfigured(
            f"{name} cannot be read. It reads redis://user:password@host:port/number, rediss:// for TLS, redis+socket:///path "
            f"or amqp://user:password@host:port/vhost. {ENCODE}"
        )
    if parts.scheme == "rediss":
        return parts._replace(query=urlencode(_tls_options(name, parts), safe="/")).geturl()
    if parts.scheme.startswith("redis"):
        _refuse_others(name, parts, ())
    return url


def _is_complete(parts: SplitResult) -> bool:
    if parts.scheme in ("redis", "rediss"):
        return bool(parts.hostname) and bool(re.fullmatch("/?[0-9]*", parts.path))
    if parts.scheme == "redis+socket":
        return not parts.netloc and bool(parts.path.strip("/"))
    return parts.scheme in ("filesystem", "memory") or bool(parts.hostname)


def _tls_options(name: str, parts: SplitResult) -> dict[str, str]:
    """Without ssl_cert_reqs kombu would trust any certificate: here one is required unless it is said otherwise."""
    _refuse_others(name, parts, ("ssl_cert_reqs", "ssl_check_hostname", *TLS_FILES))
    options = {"ssl_cert_reqs": "required"} | dict(parse_qsl(parts.query, keep_blank_values=True))
    for option, spelling in SPELLINGS.items():
        if option in options:
            options[option] = _one_of(f"{option} in {name}", options[option], spelling)
    if "ssl_ca_certs" in options:
        check_ca_file(f"ssl_ca_certs in {name}", options["ssl_ca_certs"])
    return options


def _refuse_others(name: str, parts: SplitResult, known: tuple[str, ...]) -> None:
    if not dict(parse_qsl(parts.query, keep_blank_values=True)).keys() <= set(known):
        taken = (
            f"It takes: {', '.join(known)}."
            if known
            else "This form takes none; TLS and its options are for rediss://."
        )
        raise ImproperlyConfigured(f"{name} has an option after its ? that is not known. {taken}")


def audit_destination(name: str) -> str:
    """Where lines of the audit log go to: "" for nowhere. Plain HTTP reaches this machine alone."""
    url = secret(name)
    parts = _split(url)
    if not url or (parts is not None and _takes_lines(parts)):
        return url
    raise ImproperlyConfigured(
        f"{name} cannot be read. It reads file:///path, syslog://host:port, syslog+tls://host:port or https://host/path."
    )


def _takes_lines(parts: SplitResult) -> bool:
    if parts.scheme == "file":
        return not parts.netloc and bool(parts.path.strip("/"))
    if parts.scheme in ("syslog", "syslog+tls"):
        return bool(parts.hostname and parts.port) and not parts.path.strip("/")
    plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    return bool(parts.hostname) and (parts.scheme == "https" or plain)


def _one_of(name: str, value: str, spelling: dict[str, str]) -> str:
    if found := spelling.get(value.lower()):
        return found
    known = ", ".join(dict.fromkeys(spelling.values()))
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to one of: {known}.")


def _split(url: str) -> SplitResult | None:
    """None for what is no URL; so, too, when a password that is not encoded moved into path, query or fragment."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    moved = bool(parts.netloc) and "@" in parts.path + parts.query
    return None if moved or parts.fragment or parts.port == 0 else parts


PROXY_FORM = re.compile(r"http://([^:/?#@\s]+:[^:/?#@\s]+@)?([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):[0-9]+/?")


def proxy(name: str) -> str | None:
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
