"""Which attributes of Entra a mapping can read: those of the table, and the directory extensions of this tenant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.directory import live
from sync.graph.errors import Forbidden
from sync.models import Tenant
from sync.rules.entra_attributes import DIRECTORY_EXTENSION, SOURCES, SourceAttribute, SourceType

REMEMBERED_SECONDS = 600
TYPES: Mapping[SourceType, str | Promise] = {
    "text": gettext_lazy("Text"),
    "boolean": gettext_lazy("True or false"),
    "list": gettext_lazy("Several texts"),
    "date": gettext_lazy("Date"),
    "reference": gettext_lazy("Reference"),
}
# extensionProperty.dataType of Microsoft Graph; whatever is not named here reads as text.
EXTENSION_TYPES: Mapping[str, SourceType] = {"Boolean": "boolean", "DateTime": "date"}
TARGETS = {"user": "User", "group": "Group"}


@dataclass(frozen=True, slots=True)
class Attributes:
    """`note`: why directory extensions are missing from the list; any of them can be typed all the same."""

    known: list[SourceAttribute]
    note: str = ""


def of(tenant: Tenant, object_type: str) -> Attributes:
    table = list(SOURCES[object_type])
    try:
        found = extensions(tenant)
    except Forbidden:
        return Attributes(
            table, _("Entra does not list directory extensions without Directory.Read.All. You can type their names.")
        )
    except live.UNREADABLE:
        return Attributes(table, _("Directory extensions cannot be listed right now. You can type their names."))
    own = [one for one in found if TARGETS[object_type] in one["targetObjects"]]
    return Attributes([*table, *(_attribute(one) for one in own)])


def extensions(tenant: Tenant) -> list[dict[str, Any]]:
    """As Graph lists them, remembered for a while. Raises one of directory.UNREADABLE."""
    key = f"extensions:{tenant.pk}"
    found: list[dict[str, Any]] | None = cache.get(key)
    if found is None:
        listed = live.client_of(tenant).extension_properties()
        found = [one for one in listed if DIRECTORY_EXTENSION.fullmatch(str(one.get("name", "")))]
        found = [{"targetObjects": [], **one} for one in found]
        cache.set(key, found, REMEMBERED_SECONDS)
    return found


def _attribute(one: Mapping[str, Any]) -> SourceAttribute:
    many = one.get("isMultiValued") is True
    kind: SourceType = "list" if many else EXTENSION_TYPES.get(str(one.get("dataType")), "text")
    name = str(one["name"])
    app = str(one.get("appDisplayName") or "")
    label = _("Directory extension of %(app)s") % {"app": app} if app else _("Directory extension")
    return SourceAttribute(name, name, label, type=kind)
