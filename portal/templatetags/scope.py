"""Numbers, warnings and suggestions beside a filter and its clauses."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from portal.pages.scope.cards import Note, Number
from portal.templatetags.lockstep import icon

register = template.Library()
UNKNOWN = SafeString('<span class="ls-muted" aria-hidden="true">–</span>')


@register.simple_tag
def people(number: Number | None) -> SafeString:
    """`48 people`"""
    return _linked(number, ngettext("person", "people", number.count)) if number else UNKNOWN


@register.simple_tag
def passing(number: Number | None, object_type: str) -> SafeString:
    """`48 people pass`"""
    if not number:
        return UNKNOWN
    if object_type == "group":
        return _linked(number, ngettext("group passes", "groups pass", number.count))
    return _linked(number, ngettext("person passes", "people pass", number.count))


@register.simple_tag
def tally(number: Number | None) -> SafeString:
    """`48`; what is counted is for screen readers only."""
    return _linked(number, format_html('<span class="visually-hidden">{}</span>', number.words)) if number else UNKNOWN


def _linked(number: Number, words: str) -> SafeString:
    text = format_html("{} {}", number.count, words)
    return format_html('<a href="{}">{}</a>', number.url, text) if number.url else text


@register.simple_tag
def warnings(notes: Iterable[Note]) -> SafeString:
    return format_html_join(
        "", '<p class="ls-warning">{}{}{}</p>', ((icon("alert-triangle", 14), *_parts(note)) for note in notes)
    )


def _parts(note: Note) -> tuple[str, str]:
    return note.text, format_html(' <a href="{}">{}</a>', note.url, note.link) if note.url else ""


@register.simple_tag
def suggestions(values: Iterable[tuple[str, int]]) -> SafeString:
    """Options of a list of values, each with how many people have it."""
    words = (
        (value, ngettext("%(value)s, %(n)s person", "%(value)s, %(n)s people", n) % {"value": value, "n": n})
        for value, n in values
    )
    return format_html_join("", '<option value="{}">{}</option>', words)
