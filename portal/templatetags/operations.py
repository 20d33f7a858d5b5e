"""How operations and phases are put into words and marks."""

import json
from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext as _

from portal.templatetags.lockstep import page_of
from portal.words.entra import entra_address
from portal.words.progress import phase_fact
from sync.models import Operation, Tenant
from sync.problems.catalogue import PROBLEMS
from sync.problems.languages import grouped

register = template.Library()

register.simple_tag(phase_fact, name="fact")


@register.simple_tag
def many(number: int) -> str:
    """1,204"""
    return grouped(number)


@register.filter
def signed(number: int) -> str:
    """53 more, 2 fewer, as before."""
    if not number:
        return _("as before")
    return (_("%(n)s more") if number > 0 else _("%(n)s fewer")) % {"n": grouped(abs(number))}


@register.filter
def unlocalized(value: float | None) -> str:
    """For programs."""
    return "" if value is None else f"{value:g}" if abs(value) < 1e6 else str(value)


@register.filter
def field_name(unit: str) -> str:
    """The enterprise extension's attributes go by their last name."""
    return unit.rpartition(":2.0:User:")[2]


@register.filter
def of(values: Mapping[int, str], key: int) -> str:
    return values.get(key, "")


@register.filter
def problem_title(code: str) -> str:
    return str(PROBLEMS[code].title) if code in PROBLEMS else code


@register.simple_tag
def pretty(value: Any) -> str:
    if value in (None, "", {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


@register.simple_tag
def object_url(tenant: Tenant, one: Operation) -> str:
    """The page of the person or group that it is about; of a membership, its group's."""
    return page_of(tenant, one.object_type, one.object_id)


@register.simple_tag
def entra_url(one: Operation) -> str:
    return entra_address(one.object_type, one.object_id)


@register.simple_tag
def object_reference(one: Operation) -> str:
    """As *Provision on demand* takes it."""
    return f"{'user' if one.object_type == 'user' else 'group'}:{one.object_id}"
