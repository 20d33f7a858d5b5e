"""Which AWS object belongs to a person or group that has no link yet. Pure: candidates in, a verdict out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from sync.scim.never_touch import NeverTouch

Resource = Mapping[str, Any]
# Reads the AWS objects whose attribute equals the value.
Find = Callable[[str, str], Sequence[Resource]]
Adoption = Literal["by_hand", "same_id", "match"]


class Verdict(StrEnum):
    UNMATCHED = "unmatched"
    MATCHED = "matched"
    TWO_MATCHES = "two-matches"
    # It belongs to somebody else; it waits for a person's yes; a pattern says never to touch it.
    FOREIGN = "already-exists"
    UNLINKED = "exists-unlinked"
    LEFT_ALONE = "left-alone"


@dataclass(frozen=True, slots=True)
class Match:
    verdict: Verdict
    resource: Resource | None = None
    attribute: str = ""


def name_of(units: Mapping[str, Any]) -> str:
    """What AWS shows of an object: a person's user name, a group's name."""
    return str(units.get("userName") or units.get("displayName") or "")


def holder_in_words(name: str, scim_id: str) -> str:
    """Who stands in the way in AWS, so that whoever reads it finds the object there."""
    return f"{name} ({scim_id})" if name else scim_id


def match(values: Mapping[str, Any], attributes: Sequence[str], find: Find) -> Match:
    """Looks by each matching attribute in its precedence; the first that finds something decides.

    An object with another externalId belongs to somebody else: it is named, never taken over (a recycled e-mail
    address would inherit the former owner's permissions: ssosync#358).
    """
    for attribute in attributes:
        value = values.get(attribute)
        if not isinstance(value, str) or not value:
            continue
        found = find(attribute, value)
        if len(found) > 1:
            return Match(Verdict.TWO_MATCHES, None, attribute)
        if found:
            return _verdict(found[0], values.get("externalId"), attribute)
    return Match(Verdict.UNMATCHED)


def _verdict(resource: Resource, external_id: Any, attribute: str) -> Match:
    theirs = resource.get("externalId")
    foreign = bool(theirs and external_id and theirs != external_id)
    return Match(Verdict.FOREIGN if foreign else Verdict.MATCHED, resource, attribute)


def judged(found: Match, external_id: Any, adoption: Adoption, never_touch: NeverTouch) -> Match:
    """What the tenant's rule says to an AWS object that matched and has no link: taken over, or left to a person.

    An equal externalId shows that we (or Entra's own provisioning) wrote it, whatever its name; an object without one
    may be anybody's.
    """
    if found.verdict is not Verdict.MATCHED or found.resource is None:
        return found
    same_id = bool(external_id) and found.resource.get("externalId") == external_id
    if never_touch.names_id(found.resource) or (not same_id and never_touch.fits(found.resource)):
        return replace(found, verdict=Verdict.LEFT_ALONE)
    if (same_id and adoption != "by_hand") or adoption == "match":
        return found
    return replace(found, verdict=Verdict.UNLINKED)
