"""Whom a planned change concerns, and what causes it."""

from collections.abc import Mapping, Sequence

from django import template
from django.template.context import RequestContext
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from portal.templatetags.lockstep import name, named
from sync.models import Operation

register = template.Library()


@register.simple_tag(takes_context=True)
def who(context: RequestContext, one: Operation) -> SafeString:
    shown = named(context, one.object_type, one.object_id, one.display_name)
    if not one.detail_name:
        return shown
    return format_html('{}<span class="ls-under">{}</span>', shown, name(one.detail_name))


@register.simple_tag
def because(causes: Sequence[Mapping[str, str]]) -> SafeString:
    """Each in a line of its own; of a single one also who made the edit."""
    lines = format_html_join(
        mark_safe("<br>"), '<span class="ls-any">{}</span>', ((cause["text"],) for cause in causes)
    )
    if len(causes) == 1 and causes[0]["by"]:
        return lines + format_html('<span class="ls-under">{}</span>', causes[0]["by"])
    return lines
