"""Typed readers of the process environment; every secret may also come from a file named by NAME_FILE.

Empty means not set. What cannot be read raises ImproperlyConfigured, in one sentence that quotes no secret.
"""

import contextlib
import ipaddress
import json
import os
import re
import ssl
from collections.abc import Collection, Mapping
from email.utils import parseaddr
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?")
# What Django compares with a request's Host: "*", ".example.com", a name, or an address, IPv6 in brackets (ALLOWED_HOSTS).
ALLOWED_HOST = re.compile(r"\*|\.?[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def flag(name: str, default: bool = False) -> bool:
    value = text(name).strip().lower()
    if value in {"", "0", "1", "true", "false", "yes", "no"}:
        return default if not value else value in {"1", "true", "yes"}
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to 1 or 0.")


def number(name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    value = text(name).strip() or str(default)
    if re.fullmatch("-?[0-9]{1,9}", value) and least <= int(value) <= (int(value) if most is None else most):
        return int(value)
    limits = f"from {least} to {most}" if most is not None else f"of at least {least}"
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to a whole number {limits}.")


def choice(name: str, default: str, known: Collection[str]) -> str:
    """One of `known`, which are upper case; the environment may write them in any case."""
    value = text(name, default).strip().upper()
    if value in known:
        return value
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to one of: {', '.join(known)}.")


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def allowed_hosts(name: str, default: str) -> list[str]:
    hosts = words(name, default)
    for host in hosts:
        if not ALLOWED_HOST.fullmatch(host):
            raise ImproperlyConfigured(
                f"{name} has {host!r}, which no request can have as its host. Give names or addresses, separated by "
                "commas, without https:// and without a port; IPv6 addresses in brackets."
            )
    return hosts


def host(name: str, default: str) -> str:
    """A server's name or address, without a port."""
    value = text(name, default).strip()
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(value))
    if HOST_NAME.fullmatch(value):
        return value
    raise ImproperlyConfigured(f"{name} is not the name or address of a host. Give it alone; its port has a setting.")


def mail_address(name: str, default: str) -> str:
    """As it stands in From: `name <local@domain>` or the address alone."""
    value = text(name, default)
    if value.isprintable() and re.fullmatch(r"[^@\s]+@[^@\s]+", parseaddr(value)[1]):
        return value
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to an address such as Lockstep <lockstep@example.com>.")


def secret(name: str, default_file: Path | None = None) -> str:
    """The secret itself from NAME, else the content of the file that NAME_FILE (or the default) points to.

    A file that is named and cannot be read is an error: a wrong path must not pass for "no secret"."""
    if value := os.environ.get(name):
        return value
    if named := os.environ.get(f"{name}_FILE"):
        return _content(f"{name}_FILE is", Path(named))
    if default_file and os.path.lexists(default_file):
        return _content(f"{name} is not set and would be read from", default_file)
    return ""


def _content(why: str, path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
    except UnicodeError:
        reason = "it is not UTF-8 text"
    raise ImproperlyConfigured(
        f"{why} {str(path)!r}, which cannot be read: {reason}. Name a file that this user can read."
    )


def ca_file(name: str) -> str | None:
    """A PEM file of certificate authorities, read once to see that it can be."""
    path = text(name)
    return check_ca_file(name, path) if path else None


def check_ca_file(name: str, path: str) -> str:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} is {path!r}, which cannot be read as certificate authorities: {error.strerror or error}. "
            "Name a file of PEM certificates."
        ) from error
    return path


# What may be a secret, or hold one: ours, and what the AWS SDKs read.
SECRETS = frozenset(
    (
        *("SECRET_KEY", "SEAL_KEYS", "DATABASE_URL", "BROKER_URL", "SMTP_PASSWORD", "MICROSOFT_SIGN_IN_SECRET"),
        *("OUTBOUND_PROXY", "AUDIT_SHIP_TO", "AUDIT_SHIP_TOKEN", "METRICS_TOKEN"),
        *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    )
)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """For a program that is not ours."""
    return {name: value for name, value in environment.items() if name not in SECRETS}


# What commands beside a running `up` have to know: they belong to the same broker and the same lab.
SHARED = (
    *("PUBLIC_URL", "ALLOWED_HOSTS", "BROKER_URL"),
    *("EXTRA_CLOUDS", "EXTRA_SCIM_HOSTS", "LAB_CONSOLE", "FEDERATED_TOKEN_FILE"),
)

# The names of what `recall` put into this process's environment.
RECALLED: set[str] = set()


def remembered(state: Path) -> Path:
    return state / "run" / "environment.json"


def remember(state: Path, variables: dict[str, str]) -> None:
    """For commands that are started beside a running `up`: the same broker, whose address may hold a password, the same lab."""
    path = remembered(state)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(variables))


def recall(state: Path) -> None:
    """What `up` remembered becomes the default of this process; its own variables win."""
    with contextlib.suppress(OSError, ValueError):
        facts = json.loads(remembered(state).read_text())
        RECALLED.update((facts.keys() & set(SHARED)) - os.environ.keys())
        os.environ.update({name: facts[name] for name in RECALLED})


def given() -> dict[str, str]:
    """What the caller set, without what was recalled: another `up` has its own address, broker and lab."""
    return {name: value for name, value in os.environ.items() if value and name not in RECALLED}
