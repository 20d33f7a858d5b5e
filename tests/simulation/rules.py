"""What an admin has configured, as far as the simulation configures anything, and what each choice means.

Written from the documents (docs/configuration.md; Microsoft: attribute mapping, scoping filters), not from the product.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Facts = dict[str, Any]
Value = Callable[[Facts], str | None]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def invited_by(name: str) -> str:
    """`sam_contoso.com#EXT#@acme.onmicrosoft.com` was invited as `sam@contoso.com` (Microsoft, B2B user properties)."""
    local, mark, _tenant = name.partition("#EXT#")
    user, _underscore, domain = local.rpartition("_")
    return f"{user}@{domain}" if mark else name


def joined(facts: Facts) -> str | None:
    return " ".join(part for part in (facts["givenName"], facts["surname"]) if part) or None


def plain(name: str) -> Value:
    return lambda facts: facts.get(name) or None


# One way to fill an AWS field: the row to save (None: no row), and the value that it stands for.
@dataclass(frozen=True)
class Way:
    row: dict[str, Any] | None
    value: Value


def direct(source: str, value: Value, **more: Any) -> Way:
    return Way({"kind": "direct", "source": source} | more, value)


NOTHING: Value = lambda _facts: None  # noqa: E731 - reads like the others
DEPARTMENT = f"{ENTERPRISE}:department"
# Rows that the simulation edits: the first way is the one that a tenant begins with.
WAYS: dict[str, tuple[Way, ...]] = {
    "userName": (
        direct("userPrincipalName", lambda facts: invited_by(facts["userPrincipalName"]), matching=1),
        direct("mail", plain("mail"), matching=1),
    ),
    "name.familyName": (
        direct("surname", plain("surname")),
        direct("surname", lambda facts: facts["surname"] or "-", default="-", default_on_update=True),
    ),
    "title": (
        direct("jobTitle", plain("jobTitle")),
        Way({"kind": "constant", "source": "Staff"}, lambda _facts: "Staff"),
        Way(
            {"kind": "expression", "source": 'Join(" - ", [jobTitle], [department])'},
            lambda facts: " - ".join(part for part in (facts.get("jobTitle"), facts.get("department")) if part) or None,
        ),
        Way(None, NOTHING),
    ),
    "nickName": (Way(None, NOTHING), direct("mailNickname", plain("mailNickname"))),
    DEPARTMENT: (
        direct("department", plain("department")),
        direct("department", lambda facts: facts.get("department") or "None", default="None", default_on_update=True),
        Way(None, NOTHING),
    ),
}
# The other rows of the template, with the edits that AWS needs.
OTHERS: dict[str, Value] = {
    "displayName": plain("displayName"),
    "name.givenName": plain("givenName"),
    "name.formatted": joined,
    f"{ENTERPRISE}:employeeNumber": plain("employeeId"),
}
EVERY_ACTION = {
    "user_actions": ["create", "update", "disable", "delete"],
    "group_actions": ["create", "update", "delete"],
}


@dataclass
class Sent:
    """How a group is assigned. `nested`: with the groups inside it; `itself`: it goes to AWS, not only its people."""

    nested: bool = False
    itself: bool = True


@dataclass
class Rules:
    """`filters`: by uid, (attribute, wanted value); None wants any. One filter is enough to pass."""

    people: set[str] = field(default_factory=set)
    groups: dict[str, Sent] = field(default_factory=dict)
    everybody: bool = False
    leave_out_guests: bool = False
    filters: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    ways: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WAYS, 0))
    actions: dict[str, list[str]] = field(default_factory=lambda: copy.deepcopy(EVERY_ACTION))

    def copy(self) -> "Rules":
        return copy.deepcopy(self)

    def passes(self, facts: Facts) -> bool:
        if self.leave_out_guests and facts["userType"] == "Guest":
            return False
        return not self.filters or any(
            bool(facts.get(name)) if value is None else facts.get(name) == value
            for name, value in self.filters.values()
        )

    def values(self, facts: Facts) -> dict[str, Any]:
        """What AWS is to hold of a person in scope: by SCIM path, lists whole; empty values left out."""
        found: dict[str, Any] = {target: WAYS[target][way].value(facts) for target, way in self.ways.items()}
        found |= {target: value(facts) for target, value in OTHERS.items()}
        found |= {"emails": emails(facts), "phoneNumbers": phones(facts), "addresses": addresses(facts)}
        return {target: value for target, value in found.items() if value}


def emails(facts: Facts) -> list[Facts]:
    return [{"type": "work", "value": facts["mail"], "primary": True}] if facts["mail"] else []


def phones(facts: Facts) -> list[Facts]:
    return [{"type": "work", "value": number} for number in facts["businessPhones"][:1]]


def addresses(facts: Facts) -> list[Facts]:
    parts = {"formatted": facts.get("officeLocation"), "locality": facts.get("city"), "country": facts.get("country")}
    filled = {name: value for name, value in parts.items() if value}
    return [{"type": "work"} | filled] if filled else []
