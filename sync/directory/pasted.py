"""A pasted list of people and groups: one object id, user principal name, mail address or group name per line.

The mirror is asked first; what it does not know is asked of Graph, fifteen lines a request.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models.fields.json import KT

from sync.directory import live
from sync.directory.live import GROUP_SELECT, USER_SELECT, Found, found_group, found_user
from sync.directory.patience import LONG_SECONDS
from sync.graph.client import GraphClient
from sync.graph.ids import is_guid, plain_guid
from sync.models import DirectoryGroup, DirectoryUser, Tenant

MOST_LINES = 5000


class TooManyLines(ValueError):
    """`lines`: how many there are."""

    def __init__(self, lines: int) -> None:
        super().__init__(lines)
        self.lines = lines


@dataclass(frozen=True, slots=True)
class PastedLine:
    """What a line stands for: nothing that Entra knows, one person or group, or several."""

    text: str
    found: tuple[Found, ...]

    @property
    def state(self) -> str:
        return ("unknown", "found")[len(self.found)] if len(self.found) < 2 else "ambiguous"


def lines_of(text: str) -> list[str]:
    """Each once, by its letters: Entra's names do not tell upper from lower case. Raises TooManyLines."""
    stripped = [part.strip() for part in text.splitlines()]
    once = {line.casefold(): line for line in reversed([_plain(line) for line in stripped if line])}
    if len(once) > MOST_LINES:
        raise TooManyLines(len(once))
    return list(reversed(once.values()))


def _plain(line: str) -> str:
    """An object id may come in braces or without hyphens."""
    return plain_guid(line) or line


def resolve(tenant: Tenant, lines: Sequence[str]) -> list[PastedLine]:
    """In the order of the lines. Raises one of directory.UNREADABLE."""
    found = _in_mirror(tenant, {line.casefold() for line in lines})
    missing = [line for line in lines if line.casefold() not in found]
    if missing:
        for word, one in _in_graph(live.client_of(tenant, LONG_SECONDS), missing):
            found[word][one.reference] = one
    return [PastedLine(line, tuple(found[line.casefold()].values())) for line in lines]


def _in_mirror(tenant: Tenant, wanted: set[str]) -> defaultdict[str, dict[str, Found]]:
    """By the line in lower case, then by reference. Names are compared here: databases disagree on letter case."""
    users = DirectoryUser.objects.filter(tenant=tenant, deleted="").annotate(mail=KT("properties__mail"))
    groups = DirectoryGroup.objects.filter(tenant=tenant, deleted="").annotate(mail=KT("properties__mail"))
    user_words = users.values_list("pk", "object_id", "user_principal_name", "mail").iterator(chunk_size=5000)
    group_words = groups.values_list("pk", "object_id", "display_name", "mail").iterator(chunk_size=5000)
    found: defaultdict[str, dict[str, Found]] = defaultdict(dict)
    for user in users.in_bulk(_having(user_words, wanted)).values():
        _note(found, wanted, live.mirrored_user(user), (user.user_principal_name, user.mail))
    for group in groups.in_bulk(_having(group_words, wanted)).values():
        _note(found, wanted, live.mirrored_group(group), (group.display_name, group.mail))
    return found


def _having(rows: Iterable[tuple[int, str, str, str | None]], wanted: set[str]) -> list[int]:
    """Primary keys of the rows with any of these words."""
    return [pk for pk, *words in rows if not wanted.isdisjoint(word.casefold() for word in words if word)]


def _note(found: defaultdict[str, dict[str, Found]], wanted: set[str], one: Found, words: Iterable[str | None]) -> None:
    for word in {word.casefold() for word in (one.object_id, *words) if word} & wanted:
        found[word][one.reference] = one


def _in_graph(client: GraphClient, lines: Sequence[str]) -> Iterator[tuple[str, Found]]:
    """Pairs of a line in lower case and what it is called so. What one property names is not looked for in the next."""
    ids = {line for line in lines if is_guid(line)}
    mails = {line for line in lines if "@" in line}
    yield from _first(client, ids, [("users", "id"), ("groups", "id")])
    yield from _first(client, mails, [("users", "userPrincipalName"), ("users", "mail"), ("groups", "mail")])
    yield from _first(client, {*lines} - ids - mails, [("groups", "displayName")])


def _first(client: GraphClient, lines: set[str], properties: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Found]]:
    missing = {line.casefold(): line for line in lines}
    for collection, name in properties:
        found: set[str] = set()
        select = USER_SELECT if collection == "users" else (*GROUP_SELECT, "mail")
        for item in client.having(collection, name, sorted(missing.values()), select):
            word = str(item.get(name) or "").casefold()
            if word in missing:
                found.add(word)
                yield word, found_user(item) if collection == "users" else found_group(item)
        missing = {word: line for word, line in missing.items() if word not in found}
