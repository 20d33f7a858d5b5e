"""What can be found besides people and groups: runs by number, tenants, pages of the menu, help."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.urls import reverse

from portal.access.request import HttpRequest, whole_number
from portal.access.rights import rights_of
from portal.frame.around import May
from portal.frame.menu import MENU
from portal.words.codes import entries
from sync.models import Run, Tenant

WORD = re.compile(r"\w+")
RUN = re.compile(r"(?:run\s+)?(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """`note`: what tells it apart from others of the name."""

    url: str
    title: str
    note: str = ""


def runs(tenants: Sequence[Tenant], text: str) -> list[Run]:
    """Runs with that number, of the first tenant first: `412`, or `run 412`."""
    match = RUN.fullmatch(text)
    number = whole_number(match[1]) if match else None
    if number is None:
        return []
    by_id = {tenant.pk: tenant for tenant in tenants}
    found = list(Run.objects.filter(tenant__in=by_id, number=number))
    for run in found:
        run.tenant = by_id[run.tenant_id]
    order = list(by_id)
    return sorted(found, key=lambda run: order.index(run.tenant_id))


def tenants(visible: Iterable[Tenant], text: str) -> list[Place]:
    wanted = text.casefold()
    return [
        Place(reverse("overview", args=[one.slug]), one.name, one.slug)
        for one in visible
        if wanted in one.name.casefold() or one.slug.startswith(wanted)
    ]


def pages(request: HttpRequest, here: Tenant | None, text: str) -> list[Place]:
    """Of the tenant's menu, as far as the person may open them."""
    if here is None:
        return []
    may = May(rights_of(request.user, here))
    return [
        Place(reverse(item.url_name, args=[here.slug, *item.args]), str(item.label), str(group))
        for group, items in MENU
        for item in items
        if begins_words_of(text, str(item.label)) and may.open(item.url_name)
    ]


def help_on(text: str) -> list[Place]:
    """Codes that are called so, in any order of words."""
    found: dict[str, Place] = {}
    for entry in entries():
        if begins_words_of(text, f"{entry.code} {entry.title}"):
            found.setdefault(entry.code, Place(reverse("help_code", args=[entry.code]), entry.title, entry.code))
    return list(found.values())


def begins_words_of(text: str, title: str) -> bool:
    """Each word of the text begins one of the title, in any order."""
    words = WORD.findall(title.casefold())
    return all(any(word.startswith(typed) for word in words) for typed in text.casefold().split())
