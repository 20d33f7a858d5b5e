"""Differences between two configurations, in words: what it is, as it stands, as it would be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import fields
from sync import filtering
from sync.differences import Difference, Item
from sync.models import AttributeMapping, Configuration

KINDS = {
    ("mapping", "user"): gettext_lazy("Mapping of people"),
    ("mapping", "group"): gettext_lazy("Mapping of groups"),
    ("filter", "user"): gettext_lazy("Filter of people"),
    ("filter", "group"): gettext_lazy("Filter of groups"),
    ("assignment", "user"): gettext_lazy("Assigned person"),
    ("assignment", "group"): gettext_lazy("Assigned group"),
    ("setting", ""): gettext_lazy("Setting"),
}
SETTINGS = {
    "setting:everybody": gettext_lazy("All people"),
    "setting:mirrored_app": gettext_lazy("Mirrored enterprise application"),
    "setting:leave_out_guests": gettext_lazy("Leave out guests"),
    "setting:guest_user_name": gettext_lazy("User name of guests"),
    "setting:user_actions": gettext_lazy("Actions on people"),
    "setting:group_actions": gettext_lazy("Actions on groups"),
}
ACTIONS = {
    "create": gettext_lazy("Create"),
    "update": gettext_lazy("Update"),
    "disable": gettext_lazy("Disable"),
    "delete": gettext_lazy("Delete"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """`code` as it is written in the configuration, `words` around it. Neither: it is not there."""

    code: str = ""
    words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    kind: str
    before: Side | None
    after: Side | None
    code: bool = False


def rows(found: Iterable[Difference]) -> list[Row]:
    return [row(one) for one in found]


def row(one: Difference) -> Row:
    item = one.item
    name = SETTINGS.get(item.key, item.name)
    name = fields.short(item.name) if item.kind == "mapping" else str(name)
    kind = str(KINDS[item.kind, item.object_type])
    return Row(name, kind, side(one.before), side(one.after), code=item.kind == "mapping")


def side(item: Item | None) -> Side | None:
    if item is None:
        return None
    match item.kind:
        case "mapping":
            return mapping_side(item.facts)
        case "filter":
            return Side(words=[filter_words(item)])
        case "assignment":
            return Side(words=assignment_words(item))
        case _setting:
            return Side(words=[setting_words(item)])


def mapping_side(facts: Mapping[str, Any]) -> Side:
    """The type, the source, and whatever is not the usual."""
    return Side(
        facts["source"],
        [
            str(AttributeMapping.Kind(facts["kind"]).label),
            *([_("“%(value)s” when empty") % {"value": facts["default"]}] if facts["default"] else []),
            *([_("also on updates")] if facts["default"] and facts["default_on_update"] else []),
            *([_("match %(n)d") % {"n": facts["matching"]}] if facts["matching"] else []),
            *([_("only when created")] if facts["apply"] == "create" else []),
            *([_("AWS keeps it when the source becomes empty")] if facts["when_empty"] == "keep" else []),
        ],
    )


def filter_words(item: Item) -> str:
    one = filtering.Filter.of(item.name, item.facts["clauses"])
    return filtering.clauses_in_words(one, item.facts["object_type"], _)


def assignment_words(item: Item) -> list[str]:
    facts = item.facts
    return [
        _("assigned"),
        *([_("with nested groups")] if facts["nested"] else []),
        *([] if facts["send_group"] else [_("the group itself is not sent")]),
    ]


def setting_words(item: Item) -> str:
    value = item.facts["value"]
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(ACTIONS[one]) for one in value) or _("none")
    labels = dict(Configuration.GuestName.choices)
    return str(labels.get(value, value)) or _("none")
