"""Hosts other than Microsoft's and AWS's, as JSON: the lab, another SCIM server. Only whoever deploys can name them."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from portal.deployment.environ import text
from sync.connection.loopback import is_loopback

Check = Callable[[Any], bool]


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def is_text_or_null(value: Any) -> bool:
    return value is None or is_text(value)


def is_origin(value: Any) -> bool:
    """https://host:port without a path."""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        return (
            parts.scheme in ("http", "https") and value == f"{parts.scheme}://{parts.netloc}" and bool(parts.hostname)
        )
    except ValueError:
        return False


# Key -> what it may be, in words and as a check. Keys with "?" may be left out.
Form = Mapping[str, tuple[str, Check]]
CLOUD: Form = {
    "authority": ("https://host:port", is_origin),
    "graph": ("https://host:port", is_origin),
    "label?": ("a text", is_text),
    "ca_file?": ("a file's path", is_text_or_null),
}
SCIM_HOST: Form = {
    "dialect": ('"aws" or "rfc"', lambda value: value in ("aws", "rfc")),
    "ca_file?": ("a file's path", is_text_or_null),
    "plain_http?": ("true or false", lambda value: isinstance(value, bool)),
}


def clouds(name: str) -> dict[str, dict[str, Any]]:
    """{"lab": {"label": "…", "authority": "https://…", "graph": "https://…", "ca_file": "…"}}"""
    return _entries(name, CLOUD)


def scim_hosts(name: str) -> dict[str, dict[str, Any]]:
    """{"host:port": {"dialect": "aws" | "rfc", "ca_file": "…" | null, "plain_http": false}}"""
    return _entries(name, SCIM_HOST)


def lab_console(name: str) -> str:
    """http://localhost:port/, "" without a lab. On this machine only: it shows secrets to whoever asks."""
    url = text(name)
    parts = urlsplit(url)
    if url and (parts.scheme != "http" or not is_loopback(parts.hostname or "") or url != f"http://{parts.netloc}/"):
        raise ImproperlyConfigured(f"{name} has to be http://localhost:port/: the lab is on this machine.")
    return url


def _entries(name: str, form: Form) -> dict[str, dict[str, Any]]:
    try:
        entries = json.loads(text(name, "{}"))
    except ValueError:
        entries = None
    if not isinstance(entries, dict) or not all(isinstance(facts, dict) for facts in entries.values()):
        raise ImproperlyConfigured(
            f"{name} cannot be read. It is one JSON object with an object for each host. {_shape(form)}"
        )
    for key, facts in entries.items():
        _check(f"{name}, {key!r}", facts, form)
    return entries


def _check(place: str, facts: dict[str, Any], form: Form) -> None:
    known = {key.rstrip("?") for key in form}
    if unknown := facts.keys() - known:
        raise ImproperlyConfigured(f"{place}: {min(unknown)!r} is not known. {_shape(form)}")
    for key, (words, check) in form.items():
        name = key.rstrip("?")
        needed = name == key or name in facts
        if needed and not check(facts.get(name)):
            raise ImproperlyConfigured(f"{place}: {name} has to be {words}. {_shape(form)}")


def _shape(form: Form) -> str:
    return f"It has: {', '.join(form)} (? may be left out)."
