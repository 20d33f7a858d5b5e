"""Tags of the approval pages; their words are in portal/words/holds.py."""

from collections.abc import Collection, Mapping

from django import template

from portal.words import holds
from sync.approvals.queries import Presence

register = template.Library()
register.simple_tag(holds.hold_heading)
register.simple_tag(holds.hold_would)
register.simple_tag(holds.hold_foresight)
register.simple_tag(holds.hold_words)
register.simple_tag(holds.cause_title)
register.simple_tag(holds.cause_icon)


@register.filter
def entry(values: Mapping[str, Presence], key: str) -> Presence | None:
    return values.get(key)


@register.filter
def contains(values: Collection[object], value: object) -> bool:
    return value in values
