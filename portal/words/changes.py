"""Differences of configurations in plain words: before and after, where to edit them, who made them; and the causes of
what a preview plans."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.words import aws_fields
from sync.configuration.items import Difference, Item
from sync.models import AttributeMapping, Configuration, Tenant
from sync.preview.queries.previews import split_causes
from sync.problems.catalogue import SCOPE_REASONS
from sync.rules import filters
from sync.rules.filter_words import clauses_in_words

Words = str | Promise
CHANGED_IN_ENTRA = gettext_lazy("Changed in Entra since the last run")
KINDS: Mapping[str, Words] = {
    "mapping": gettext_lazy("Mapping"),
    "filter": gettext_lazy("Scope filter"),
    "assignment": gettext_lazy("Assignment"),
    "setting": gettext_lazy("Setting"),
}
GROUP_KINDS: Mapping[str, Words] = {
    "mapping": gettext_lazy("Mapping of groups"),
    "filter": gettext_lazy("Scope filter of groups"),
}
# Settings whose columns are named for programs.
SETTINGS: Mapping[str, Words] = {
    "setting:user_actions": gettext_lazy("Actions on people"),
    "setting:group_actions": gettext_lazy("Actions on groups"),
}
# Settings that are edited with the mappings, or with the assignments; the others decide scope.
OF_ASSIGNMENTS = ("mirrored_app",)
OF_MAPPINGS = ("guest_user_name", "user_actions", "group_actions")


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One difference. `before` and `after` are sentences; `coded`: expressions and attribute names, in a code font."""

    key: str
    kind: str
    kind_word: Words
    name: str
    coded: bool
    before: str
    after: str
    url: str
    # added, removed or changed
    action: str
    by: str = ""
    at: datetime.datetime | None = None


def change_lines(
    tenant: Tenant, found: Iterable[Difference], edits: Mapping[str, Any] | None = None
) -> list[ChangeLine]:
    return [change_line(tenant, one, (edits or {}).get(one.key, {})) for one in found]


def change_line(tenant: Tenant, one: Difference, edit: Mapping[str, str]) -> ChangeLine:
    item = one.item
    return ChangeLine(
        key=one.key,
        kind=item.kind,
        kind_word=kind_word(item),
        name=item_name(item),
        coded=item.kind == "mapping",
        before=item_words(item, one.before),
        after=item_words(item, one.after),
        url=url_of(tenant, item),
        action="added" if one.before is None else "removed" if one.after is None else "changed",
        by=edit.get("by", ""),
        at=datetime.datetime.fromisoformat(edit["at"]) if "at" in edit else None,
    )


def kind_word(item: Item) -> Words:
    of_groups = item.object_type == "group" and item.kind in GROUP_KINDS
    return GROUP_KINDS[item.kind] if of_groups else KINDS[item.kind]


def item_name(item: Item) -> str:
    if item.kind == "mapping":
        return aws_fields.short_path(item.name)
    name = str(SETTINGS.get(item.key, item.name))
    return name[:1].upper() + name[1:]


def url_of(tenant: Tenant, item: Item) -> str:
    if page_editing(item.key) == "mappings":
        return reverse("mappings", args=[tenant.slug, item.object_type or "user"])
    return reverse(page_editing(item.key), args=[tenant.slug])


def page_editing(key: str) -> str:
    """The page on which the thing under this key is edited, by its URL name."""
    kind, _colon, rest = key.partition(":")
    if kind == "mapping" or (kind == "setting" and rest in OF_MAPPINGS):
        return "mappings"
    if kind == "assignment" or (kind == "setting" and rest in OF_ASSIGNMENTS):
        return "assignments"
    return "scope"


def item_words(item: Item, side: Item | None) -> str:
    return {"mapping": mapping_words, "filter": filter_words, "assignment": assignment_words}.get(
        item.kind, setting_words
    )(item, side)


def mapping_words(_item: Item, side: Item | None) -> str:
    """`jobTitle, default "-", match 1`."""
    if side is None:
        return _("not mapped")
    facts = side.facts
    parts = [shown_source(facts["kind"], facts["source"]) or str(AttributeMapping.Kind(facts["kind"]).label)]
    if facts["default"]:
        parts.append(_('default "%(value)s"') % {"value": facts["default"]})
    if facts["default_on_update"]:
        parts.append(_("default also on updates"))
    if facts["apply"] == "create":
        parts.append(_("only when created"))
    if facts["when_empty"] == "keep":
        parts.append(_("kept when empty"))
    if facts["matching"]:
        parts.append(_("match %(n)s") % {"n": facts["matching"]})
    return ", ".join(parts)


def filter_words(item: Item, side: Item | None) -> str:
    if side is None:
        return _("no such filter")
    one = filters.Filter.of(side.facts["title"], side.facts["clauses"])
    clauses = clauses_in_words(one, "group" if item.object_type == "group" else "user", _)
    return clauses or _("no clause")


def assignment_words(item: Item, side: Item | None) -> str:
    if side is None:
        return _("not assigned")
    parts = [_("assigned")]
    if item.object_type == "group":
        parts += [_("with the groups inside it")] if side.facts["nested"] else []
        parts += [] if side.facts["send_group"] else [_("the group itself is not sent")]
    return ", ".join(parts)


def setting_words(item: Item, side: Item | None) -> str:
    value = side.facts["value"] if side else None
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, list):
        return ", ".join(value) or _("none")
    if item.key == "setting:guest_user_name" and isinstance(value, str):
        return str(Configuration.GuestName(value).label)
    return str(value or _("none"))


# Why an operation is planned


class Because:
    """Words for the causes of a preview's operations. `lines`: the draft's differences."""

    def __init__(self, lines: Iterable[ChangeLine]) -> None:
        self.lines = {line.key: line for line in lines}

    def of(self, causes: Iterable[str], *, unit: str = "", otherwise: Words = CHANGED_IN_ENTRA) -> list[dict[str, str]]:
        """Each with `text` and `by`. `unit`: only mappings of this unit count, with whatever is no mapping; `otherwise`:
        what it is where nothing of the draft is behind it."""
        keys, reasons = split_causes(causes)
        found = [self._one(key) for key in keys if not unit or not key.startswith("mapping:") or unit_in(key, unit)]
        if found:
            return found
        texts = [str(SCOPE_REASONS.get(reason, reason)) for reason in reasons]
        return [{"text": text, "by": ""} for text in texts or [str(otherwise)]]

    def _one(self, key: str) -> dict[str, str]:
        line = self.lines.get(key)
        if line is None:
            return {"text": key.rpartition(":")[2], "by": ""}
        return {"text": cause_words(line), "by": line.by}


def unit_in(key: str, unit: str) -> bool:
    return key.split(":", 2)[2].startswith(unit)


def cause_words(line: ChangeLine) -> str:
    facts = {"name": line.name, "after": line.after}
    words = {
        ("assignment", "added"): _("%(name)s assigned"),
        ("assignment", "removed"): _("%(name)s unassigned"),
        ("filter", "added"): _("New filter %(name)s"),
        ("filter", "removed"): _("Filter %(name)s removed"),
        ("filter", "changed"): _("Filter %(name)s changed"),
        ("mapping", line.action): _("Mapping %(name)s"),
    }
    return words.get((line.kind, line.action), _("%(name)s: %(after)s")) % facts


def shown_source(kind: str, source: str) -> str:
    if kind == AttributeMapping.Kind.NONE:
        return ""
    return f'"{source}"' if kind == AttributeMapping.Kind.CONSTANT else source
