"""MICROSOFT_SIGN_IN: with which app people sign in, and which app role or group of Entra brings which role here."""

import json
import uuid
from typing import Any, TypedDict

from django.core.exceptions import ImproperlyConfigured

ROLES = ("viewer", "helpdesk", "operator", "configurator", "approver", "owner")
FORM = (
    '{"directory_id": "GUID", "client_id": "GUID", "cloud": "global", "roles": {"<value of an app role, or id of a group>": '
    '{"role": "operator", "tenant": "acme"}}}; "cloud" may be left out, and "tenant", for all tenants'
)


class RoleHere(TypedDict):
    """`tenant`: its part of the URL; None: all tenants."""

    role: str
    tenant: str | None


class MicrosoftSignIn(TypedDict):
    directory_id: str
    client_id: str
    cloud: str
    roles: dict[str, RoleHere]


def parse(text: str) -> MicrosoftSignIn | None:
    if not text:
        return None
    try:
        return _read(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ImproperlyConfigured(f"MICROSOFT_SIGN_IN cannot be read. It is JSON: {FORM}.") from None


def _read(found: dict[str, Any]) -> MicrosoftSignIn:
    if unknown := found.keys() - {"directory_id", "client_id", "cloud", "roles"}:
        raise ValueError(unknown)
    roles = {str(value): _role(facts) for value, facts in found["roles"].items()}
    return {
        "directory_id": _guid(found["directory_id"]),
        "client_id": _guid(found["client_id"]),
        "cloud": str(found.get("cloud", "global")),
        "roles": roles,
    }


def _guid(text: str) -> str:
    """`common` and the like would let people of any directory in."""
    guid = str(uuid.UUID(text))
    if guid != text.lower():
        raise ValueError(text)
    return guid


def _role(facts: dict[str, Any]) -> RoleHere:
    role, tenant = facts["role"], facts.get("tenant")
    if role not in ROLES or facts.keys() - {"role", "tenant"} or (role == "owner" and tenant):
        raise ValueError(facts)
    return {"role": role, "tenant": tenant}
