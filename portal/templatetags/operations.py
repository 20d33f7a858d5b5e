"""How operations and phases are put into words and marks."""

import json
import unicodedata
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal.words.progress import phase_fact
from sync.problems.catalogue import PROBLEMS

register = template.Library()

register.simple_tag(phase_fact, name="fact")


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
