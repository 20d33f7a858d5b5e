"""Parts of an address that stand for more than a text: `<objects:…>`, `<kind:…>`, `<id:…>`."""

from django.urls import register_converter

from sync.directory.live import GUID
from sync.models import Half
from sync.rules.rows import ObjectType

PLURALS: dict[ObjectType, str] = {"user": "people", "group": "groups"}


class PeopleOrGroups:
    """`people` or `groups` in the address, an ObjectType in the view and in `reverse`."""

    regex = "people|groups"

    def to_python(self, value: str) -> ObjectType:
        return "user" if value == PLURALS["user"] else "group"

    def to_url(self, value: ObjectType) -> str:
        return PLURALS[value]


class AssignedKind:
    """The two kinds of what can be assigned."""

    regex = "user|group"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class ConnectionHalf:
    """One of the two sides of a connection."""

    regex = "|".join(Half.values)

    def to_python(self, value: str) -> Half:
        return Half(value)

    def to_url(self, value: str) -> str:
        return str(value)


class ObjectId:
    """An object id of Entra, in lower case as Graph writes it."""

    regex = GUID

    def to_python(self, value: str) -> str:
        return value.lower()

    def to_url(self, value: str) -> str:
        return value


register_converter(PeopleOrGroups, "objects")
register_converter(AssignedKind, "kind")
register_converter(ConnectionHalf, "half")
register_converter(ObjectId, "id")
