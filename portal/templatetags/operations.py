"""How operations and phases are put into words and marks."""

import json
import unicodedata
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.problems.catalogue import PROBLEMS

register = template.Library()

# Facts of a phase (sync/engine/cycle.py), each in one and many.
FACTS = {
    "people": lambda n: ngettext("%(n)s person", "%(n)s people", n),
    "groups": lambda n: ngettext("%(n)s group", "%(n)s groups", n),
    "in": lambda n: _("%(n)s in"),
    "out": lambda n: _("%(n)s outside"),
    "memberships": lambda n: ngettext("%(n)s membership", "%(n)s memberships", n),
    "differs": lambda n: ngettext("%(n)s differs", "%(n)s differ", n),
    "missing": lambda n: _("%(n)s gone from AWS"),
    "only_in_aws": lambda n: _("%(n)s only in AWS"),
    "member_missing": lambda n: ngettext("%(n)s member missing", "%(n)s members missing", n),
    "member_extra": lambda n: ngettext("%(n)s member too many", "%(n)s members too many", n),
    "unsure": lambda n: ngettext("%(n)s group unsure", "%(n)s groups unsure", n),
    "held": lambda n: _("%(n)s held"),
    "changes": lambda n: ngettext("%(n)s change", "%(n)s changes", n),
}


@register.simple_tag
def fact(name: str, value: int) -> str:
    return FACTS[name](value) % {"n": f"{value:,}"} if name in FACTS else f"{name} {value}"


@register.simple_tag
def many(number: int) -> str:
    """1,204"""
    return f"{number:,}"


@register.filter
def field_name(unit: str) -> str:
    """The enterprise extension's attributes go by their last name."""
    return unit.rpartition(":2.0:User:")[2]


@register.filter
def problem_title(code: str) -> str:
    return str(PROBLEMS[code].title) if code in PROBLEMS else code


@register.simple_tag
def visible(value: Any) -> SafeString:
    """A value with its blank and invisible characters marked: they are what AWS refuses most often."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return mark_safe("".join(str(_mark(char)) for char in text))  # noqa: S308 - each part is escaped


def _mark(char: str) -> SafeString:
    if char == " " or not unicodedata.category(char).startswith(("C", "Z")):
        return format_html("{}", char)
    name = unicodedata.name(char, f"U+{ord(char):04X}")
    return format_html('<span class="ls-invisible" title="{}">U+{}</span>', name, f"{ord(char):04X}")


@register.simple_tag
def pretty(value: Any) -> str:
    if value in (None, "", {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
