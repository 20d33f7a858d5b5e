"""Numbers in the tables of assignments."""

from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag(takes_context=True)
def number(context: RequestContext, value: Any) -> SafeString:
    """`value` empty: it is not known (yet), or the row is on its way out."""
    if value not in (None, ""):
        return format_html("<span>{}</span>" if value else '<span class="ls-muted">{}</span>', value)
    words = _("Counting") if context["tables"].counting else _("Unknown")
    return format_html('<span class="ls-muted">{}</span>', "–" if context["line"].mark == "removed" else words)
