"""Objects in AWS that are never written to: those that the list names and that are not ours."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sync.scim.errors import Untouchable

NAMES = ("userName", "displayName")


def _fits(pieces: Sequence[str], name: str) -> bool:
    """Whether the name is these pieces with any text between them. Looks at each letter once: no pattern of an admin can
    make it slow."""
    if len(pieces) == 1:
        return name == pieces[0]
    first, *middle, last = pieces
    if not name.startswith(first):
        return False
    place = len(first)
    for piece in middle:
        if (found := name.find(piece, place)) < 0:
            return False
        place = found + len(piece)
    return name.endswith(last) and len(name) - len(last) >= place


class NeverTouch:
    """`patterns`: names to the letter, `*` for any text, or whole AWS ids.

    `ours`: ids of objects that we made or that were linked with somebody of ours, whatever their names. `protected`: ids
    that are known to match; it grows with each resource that is read."""

    def __init__(self, patterns: Iterable[str] = (), ours: Iterable[str] = ()) -> None:
        self.patterns = [pattern.strip() for pattern in patterns if pattern.strip()]
        self.ids = frozenset(self.patterns)
        self.ours = set(ours)
        self.protected = set[str]()
        self.pieces = [pattern.split("*") for pattern in self.patterns]

    def matches(self, name: Any) -> bool:
        return isinstance(name, str) and any(_fits(pieces, name) for pieces in self.pieces)

    def names_id(self, resource: Mapping[str, Any]) -> bool:
        """Whether the list holds the very AWS id: then it does not matter whose the object is."""
        return resource.get("id") in self.ids

    def fits(self, resource: Mapping[str, Any]) -> bool:
        """Whether the list names this resource, whoever made it."""
        return self.names_id(resource) or any(self.matches(resource.get(name)) for name in NAMES)

    def see(self, resource: Mapping[str, Any]) -> None:
        """A resource as AWS told it, or as it was written last."""
        scim_id = str(resource.get("id", ""))
        if scim_id and scim_id not in self.ours and self.fits(resource):
            self.protected.add(scim_id)

    def own(self, scim_id: str) -> None:
        """It is ours: its name does not matter."""
        self.ours.add(scim_id)
        self.protected.discard(scim_id)

    def check(self, scim_id: str, method: str, path: str) -> None:
        """Raises Untouchable."""
        if scim_id in self.ids or scim_id in self.protected:
            raise Untouchable("This object is on the never-touch list. Nothing was sent.", method=method, path=path)
