"""Tags of the approval pages; their words are in portal/words/holds.py."""

from collections.abc import Collection

from django import template

from portal.words import holds

register = template.Library()
register.simple_tag(holds.hold_heading)
register.simple_tag(holds.hold_would)
register.simple_tag(holds.hold_foresight)
register.simple_tag(holds.hold_words)
register.simple_tag(holds.cause_title)
register.simple_tag(holds.cause_icon)


@register.filter
def contains(values: Collection[object], value: object) -> bool:
    return value in values
