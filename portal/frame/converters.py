"""Parts of an address that stand for more than a text: `<plural:…>`, `<kind:…>`, `<id:…>`."""

from django.urls import register_converter

from sync.directory.live import GUID


class Plural:
    """The two kinds of mappings that pages are for."""

    regex = "people|groups"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Kind(Plural):
    """The two kinds of what can be assigned."""

    regex = "user|group"


class ObjectId:
    """An object id of Entra, in lower case as Graph writes it."""

    regex = GUID

    def to_python(self, value: str) -> str:
        return value.lower()

    def to_url(self, value: str) -> str:
        return value


register_converter(Plural, "plural")
register_converter(Kind, "kind")
register_converter(ObjectId, "id")
