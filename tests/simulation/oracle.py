"""What is right, worked out from what Entra holds and what is configured, without a look at how the product decides.

AWS's rules: SCIM Developer Guide (CreateUser, limitations), Identity Store API model (lengths, patterns).
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.company import Company, Person
from tests.simulation.rules import ENTERPRISE, WAYS, Rules

Json = dict[str, Any]
MANAGER = f"{ENTERPRISE}:manager"
REQUIRED = ("userName", "displayName", "name.givenName", "name.familyName")
BLANKS = "\t\n\r \u00a0\u3000"
COMPARED = (*WAYS, "displayName", "name.givenName", "name.formatted", "emails", "phoneNumbers", "addresses")


@dataclass(frozen=True)
class Truth:
    """At one moment. `people`, `groups`: Entra ids of those in scope; `listed`: by group in scope, whom Entra lists;
    `company`: what Entra held."""

    at: float
    people: frozenset[str]
    groups: frozenset[str]
    listed: Mapping[str, frozenset[str]]
    purged: frozenset[str]
    company: Company

    def under(self, rules: Rules) -> "Truth":
        """What other rules would have made of the same company."""
        return truth(self.at, self.company, rules)

    def is_member(self, group: str, person: str) -> bool:
        return group in self.groups and person in self.people and person in self.listed[group]


def truth(at: float, company: Company, rules: Rules) -> Truth:
    """`company` must not change any more."""
    groups = {
        key: frozenset(company.listed(key, nested=sent.nested))
        for key, sent in rules.groups.items()
        if sent.itself and key in company.groups and company.groups[key].state == "live"
    }
    people = frozenset(person.id for person in company.live_people() if in_scope(person, company, rules))
    purged = {row.id for row in (*company.people.values(), *company.groups.values()) if row.state == "purged"}
    return Truth(at, people, frozenset(groups), groups, frozenset(purged), company)


def in_scope(person: Person, company: Company, rules: Rules) -> bool:
    if person.state != "live" or not person.facts["accountEnabled"] or not rules.passes(person.facts):
        return False
    if rules.everybody or person.id in rules.people:
        return True
    return any(person.id in company.listed(key, nested=sent.nested) for key, sent in rules.groups.items())


# What AWS would say to a person


def is_ready(values: Json) -> bool:
    """AWS takes the person: all that it requires is there, and no character, length or name that it refuses."""
    if any(not values.get(path) for path in REQUIRED) or values["userName"] in ("Administrator", "AWSAdministrators"):
        return False
    return all(fits(path, text) for path, value in values.items() for text in texts(value))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for element in value:
            yield from (part for part in element.values() if isinstance(part, str))
    else:
        yield value


def fits(path: str, text: str) -> bool:
    longest = {"userName": 128, "externalId": 256}.get(path, 1024)
    blanks = "" if path in ("userName", "externalId") else BLANKS
    return 1 <= len(text) <= longest and all(
        char in blanks or unicodedata.category(char)[0] in "LMSNP" for char in text
    )


# What AWS holds


def key(text: str) -> str:
    """AWS tells no letter case apart in names and addresses."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def keys_of(user: Json) -> set[tuple[str, str]]:
    """The unique values of a user."""
    found = {("userName", key(user["userName"]))} if user.get("userName") else set()
    found |= {("emails", key(one["value"])) for one in user.get("emails") or []}
    return found | ({("externalId", user["externalId"])} if user.get("externalId") else set())


def keys_of_group(group: Json) -> set[tuple[str, str]]:
    found = {("displayName", key(group["displayName"]))} if group.get("displayName") else set()
    return found | ({("externalId", group["externalId"])} if group.get("externalId") else set())


def held(user: Json, path: str) -> Any:
    at: Any = user
    for part in [ENTERPRISE, path.rpartition(":")[2]] if path.startswith(ENTERPRISE) else path.split("."):
        at = (at or {}).get(part)
    return at or None


def same(one: Any, other: Any) -> bool:
    """Servers may compose characters (NFC) and add keys of their own to the elements of a list."""
    if isinstance(one, list):
        pairs = list(zip(one, other or [], strict=False))
        return len(one) == len(other or []) == len(pairs) and all(same(ours, theirs) for ours, theirs in pairs)
    if isinstance(one, dict):
        return isinstance(other, dict) and all(same(value, other.get(name)) for name, value in one.items())
    if isinstance(one, str) and isinstance(other, str):
        return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    return bool(one == other)


# Who can have what he wants


def stuck(wanted: Mapping[str, set[tuple[str, str]]], holders: Iterable[tuple[str, set[tuple[str, str]]]]) -> set[str]:
    """Ids of `wanted` whose unique values nobody can give them: two want one, or somebody holds it who will not move.

    `holders`: what AWS holds, each with the id of whom it belongs to ("": nobody who could move).
    """
    claims: dict[tuple[str, str], set[str]] = {}
    for object_id, values in wanted.items():
        for value in values:
            claims.setdefault(value, set()).add(object_id)
    found = {object_id for ids in claims.values() if len(ids) > 1 for object_id in ids}
    rows = list(holders)
    while True:
        more = {
            object_id
            for owner, values in rows
            if owner not in wanted or owner in found
            for value in values
            for object_id in claims.get(value, ())
            if object_id != owner
        }
        if more <= found:
            return found
        found |= more
