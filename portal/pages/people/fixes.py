"""Where what stands in a person's way is mended."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.words.entra import entra_address
from sync.models import Standing, Word
from sync.people.queries import Blocked, PersonFacts
from sync.rules.aws_fields import TARGETS
from sync.rules.scope import Reason

# Names of pages; "entra" is Microsoft's.
ENTRA = "entra"
LABELS: Mapping[str, str | Promise] = {
    ENTRA: _("Open in Entra"),
    "approvals": _("Open Approvals"),
    "assignments": _("Open Assignments"),
    "connection": _("Open Connection"),
    "drift": _("Open Compare with AWS"),
    "drift_leave": _("Leave as it is"),
    "drift_repair": _("Repair"),
    "health": _("Open System health"),
    "logs": _("Open the log"),
    "mapping": _("Open mapping"),
    "mappings": _("Open Mappings"),
    "provisioning": _("Open Provisioning"),
    "scope": _("Open Scope"),
}
BY_SCOPE: Mapping[str, tuple[str, ...]] = {
    Reason.NOT_ASSIGNED: ("assignments",),
    Reason.OUTSIDE_FILTER: ("scope", ENTRA),
    Reason.GUEST: ("scope",),
    Reason.ACCOUNT_DISABLED: (ENTRA,),
    Reason.DELETED: (ENTRA,),
}
# Two objects of Entra, or two of AWS, stand in each other's way; the other conflicts are decided under Approvals.
BY_CONFLICT: Mapping[str, tuple[str, ...]] = {"same-value": (ENTRA, "mappings"), "two-matches": ("drift",)}
BY_WORD: Mapping[str, tuple[str, ...]] = {
    Word.HELD: ("approvals",),
    Word.GONE: ("drift_repair", "drift"),
    Word.CONFLICT: ("approvals",),
    Word.FAILED: ("logs",),
    Word.DIFFERS: ("drift_repair", "drift_leave", "drift"),
}


@dataclass(frozen=True, slots=True)
class FixLink:
    """`outside`: it leads to Microsoft."""

    outside: bool
    label: str | Promise
    url: str


def fix_links(facts: PersonFacts, opens: Callable[[str], bool]) -> list[FixLink]:
    """`opens`: whether a page does for whoever looks, by its name."""
    places = _places(facts.standing, facts.blocked)
    closed = () if facts.standing.repairable else ("drift_repair",)
    return [_link(facts, place) for place in places if place not in closed and (place == ENTRA or opens(place))]


def _places(standing: Standing, blocked: Blocked | None) -> Iterator[str]:
    if standing.word in (Word.NOT_IN_SCOPE, Word.DISABLED):
        yield from BY_SCOPE.get(standing.scope, ())
    elif standing.word == Word.NOT_READY:
        yield from (ENTRA, "mapping" if standing.attribute in TARGETS["user"] else "mappings")
    elif standing.word == Word.WAITING and blocked:
        yield blocked.place
    else:
        yield from BY_CONFLICT.get(standing.code) or BY_WORD.get(standing.word, ())


def _link(facts: PersonFacts, place: str) -> FixLink:
    return FixLink(place == ENTRA, LABELS[place], _address(facts, place))


def _address(facts: PersonFacts, place: str) -> str:
    slug, standing = facts.tenant.slug, facts.standing
    match place:
        case "entra":
            return entra_address("user", standing.object_id)
        case "health":
            return reverse("health")
        case "mappings":
            return reverse("mappings", args=[slug, "user"])
        case "mapping":
            return reverse("mapping", args=[slug, "user", standing.attribute])
        case "drift_repair" | "drift_leave":
            return f"{reverse(place, args=[slug])}?object={standing.object_id}"
        case "logs":
            return f"{reverse('logs', args=[slug])}?q={standing.object_id}"
    return reverse(place, args=[slug])
