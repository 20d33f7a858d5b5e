"""Real people whose values the mapping pages show: the chosen one of the URL, and the pinned cast beside."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from sync.directory import live
from sync.models import DirectoryUser, Tenant
from sync.preview.queries.filter_effects import attributes_read
from sync.rules import mapping

CAST_SIZE = 5
# The proposal looks at so many people of the mirror, and holds for so long.
LOOKED_AT = 5000
PROPOSAL_SECONDS = 600
PHONES = ("mobilePhone", "faxNumber")


@dataclass(slots=True)
class ExamplePerson:
    """`source`: the Graph user, None while it cannot be read. `why`: what makes a pinned person worth a look."""

    object_id: str
    name: str
    source: Mapping[str, Any] | None = None
    why: str | Promise = ""

    @property
    def readable(self) -> bool:
        return self.source is not None

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word[0].isalnum()]
        return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()


class CannotPin(Exception):
    """The text says why."""


def person_of(request: HttpRequest) -> str:
    """The object id of the person that the URL names; "" when it names none."""
    named = request.GET.get("person", "")
    return named.lower() if live.is_guid(named) else ""


def chosen_person(request: HttpRequest, tenant: Tenant, select: Sequence[str]) -> ExamplePerson | None:
    """The person that the URL names, read live for those who may look people up, else from the mirror; or the first of
    the cast.

    While Entra cannot be read, the name is what was seen last. Raises Http404 for what cannot be an object id.
    """
    object_id = person_of(request)
    if not object_id:
        if request.GET.get("person"):
            raise Http404(_("This is not the object ID of a person."))
        return _first_of_cast(request, tenant, select)
    if not can(request.user, tenant, Right.ON_DEMAND):
        return _as_read(tenant, object_id, select)
    try:
        source = live.person(tenant, object_id, select)
    except live.UNREADABLE:
        return ExamplePerson(object_id, live.last_name(tenant, object_id) or _("this person"))
    return ExamplePerson(object_id, str(source.get("displayName") or object_id), source)


def _first_of_cast(request: HttpRequest, tenant: Tenant, select: Sequence[str]) -> ExamplePerson | None:
    """Nobody asked for anybody: live only for what the last reading did not read."""
    first = pinned(request, tenant)[:1]
    if can(request.user, tenant, Right.ON_DEMAND) or set(select) <= mirrored(tenant):
        with_values(tenant, first, select)
    return next((one for one in first if one.readable), None)


def _as_read(tenant: Tenant, object_id: str, select: Sequence[str]) -> ExamplePerson:
    row = DirectoryUser.objects.filter(tenant=tenant, object_id=object_id).first()
    person = ExamplePerson(object_id, str(row) if row else _("this person"))
    if set(select) <= mirrored(tenant):
        _add_mirrored(tenant, [person])
    return person


# --- The cast: up to five people, per browser session and tenant ----------------------------------


def pinned(request: HttpRequest, tenant: Tenant) -> list[ExamplePerson]:
    """Those that this person pinned, else those that we propose; names of today's mirror."""
    ids: list[str] | None = request.session.get(_key(tenant))
    if ids is None:
        return proposed_people(tenant)
    reasons = {one.object_id: one.why for one in proposed_people(tenant)}
    rows = DirectoryUser.objects.filter(tenant=tenant, object_id__in=ids).values_list("object_id", "display_name")
    names = dict(rows)
    return [ExamplePerson(one, names[one] or one, why=reasons.get(one, "")) for one in ids if one in names]


def pin(request: HttpRequest, tenant: Tenant, object_id: str) -> None:
    """Raises CannotPin."""
    ids = [one.object_id for one in pinned(request, tenant)]
    if object_id in ids:
        return
    if len(ids) >= CAST_SIZE:
        raise CannotPin(_("Five people are pinned already. Unpin one first."))
    if not is_read(tenant, object_id):
        raise CannotPin(_("Only people whom Lockstep has read can be pinned."))
    request.session[_key(tenant)] = [*ids, object_id]


def is_read(tenant: Tenant, object_id: str) -> bool:
    return live.is_guid(object_id) and DirectoryUser.objects.filter(tenant=tenant, object_id=object_id).exists()


def unpin(request: HttpRequest, tenant: Tenant, object_id: str) -> None:
    ids = [one.object_id for one in pinned(request, tenant)]
    request.session[_key(tenant)] = [one for one in ids if one != object_id]


def propose_again(request: HttpRequest, tenant: Tenant) -> None:
    request.session.pop(_key(tenant), None)


def _key(tenant: Tenant) -> str:
    return f"cast-{tenant.pk}"


def with_values(tenant: Tenant, cast: Iterable[ExamplePerson], select: Sequence[str]) -> list[ExamplePerson]:
    """As the mirror has them when it reads all of `select`; else live, and without values where that fails."""
    people = list(cast)
    if set(select) <= mirrored(tenant):
        _add_mirrored(tenant, people)
        return people
    for one in people:
        try:
            one.source = live.person(tenant, one.object_id, select)
        except live.UNREADABLE:
            one.source = None
    return people


def _add_mirrored(tenant: Tenant, people: Sequence[ExamplePerson]) -> None:
    rows = DirectoryUser.objects.filter(tenant=tenant, object_id__in=[one.object_id for one in people])
    known = {row.object_id: {**row.properties, "manager": row.manager_id or None} for row in rows}
    for one in people:
        one.source = known.get(one.object_id)


def mirrored(tenant: Tenant) -> set[str]:
    """Properties of people that the last reading read."""
    read = attributes_read(tenant, "user")
    return {*read, "manager"} if read else set()


# --- Whom we propose ------------------------------------------------------------------------------


def proposed_people(tenant: Tenant) -> list[ExamplePerson]:
    """Real people of the mirror on whom mappings fail: one for each reason, each person once."""
    key = f"cast-proposal:{tenant.pk}:{tenant.evaluated_snapshot}"
    found: list[tuple[str, str, str]] | None = cache.get(key)
    if found is None:
        found = [(one.object_id, one.name, reason) for reason, one in _awkward(tenant).items()]
        cache.set(key, found, PROPOSAL_SECONDS)
    return [ExamplePerson(object_id, name, why=REASONS[reason]) for object_id, name, reason in found]


REASONS: dict[str, str | Promise] = {
    "no-surname": gettext_lazy("no last name"),
    "two-phones": gettext_lazy("two phones"),
    "guest": gettext_lazy("guest"),
    "non-latin": gettext_lazy("non-Latin"),
    "longest": gettext_lazy("longest values"),
}


def _awkward(tenant: Tenant) -> dict[str, ExamplePerson]:
    people = DirectoryUser.objects.filter(tenant=tenant, deleted="").order_by("-in_scope", "pk")
    rows = list(people.values_list("object_id", "display_name", "properties")[:LOOKED_AT])
    found: dict[str, ExamplePerson] = {}
    for reason, holds in TESTS.items():
        taken = {one.object_id for one in found.values()}
        match = next((row for row in rows if row[0] not in taken and holds(row[2])), None)
        if match:
            found[reason] = ExamplePerson(match[0], match[1])
    taken = {one.object_id for one in found.values()}
    rest = [row for row in rows if row[0] not in taken]
    if rest:
        longest = max(rest, key=lambda row: _longest(row[2]))
        found["longest"] = ExamplePerson(longest[0], longest[1])
    return found


def _phones(properties: Mapping[str, Any]) -> int:
    business = properties.get("businessPhones") or []
    return len(business) + sum(bool(properties.get(name)) for name in PHONES)


def _non_latin(properties: Mapping[str, Any]) -> bool:
    name = str(properties.get("displayName") or "")
    return any(char.isalpha() and not unicodedata.name(char, "").startswith("LATIN") for char in name)


def _longest(properties: Mapping[str, Any]) -> int:
    texts = (value for name, value in properties.items() if name != "id")
    return max((len(value) for value in texts if isinstance(value, str)), default=0)


TESTS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "no-surname": lambda properties: not properties.get("surname"),
    "two-phones": lambda properties: _phones(properties) > 1,
    "guest": mapping.is_invited,
    "non-latin": _non_latin,
}
