"""Numbers and days as a language writes them, and the language in which somebody is written to."""

import contextlib
import datetime
from collections.abc import Iterator
from importlib import import_module

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _


def grouped(number: int) -> str:
    """1,204 in English, 1.204 in German."""
    return number_format(number, force_grouping=True)


def day(value: datetime.date, weekday: bool = False) -> str:
    """23 Nov 2026, Mon 23 Nov 2026. Of a moment, in the zone that it is in."""
    return date_format(value, _("D j M Y") if weekday else _("j M Y"))


def moment(value: datetime.datetime, seconds: bool = False) -> str:
    """23 Nov 2026, 18:27."""
    return f"{day(value)}, {date_format(value, 'H:i:s' if seconds else 'H:i')}"


@contextlib.contextmanager
def language_of(recipient: str) -> Iterator[None]:
    """What is written meanwhile is in the language that the person with this address chose, else in the installation's.

    Whoever happens to cause a message decides nothing about its language."""
    with translation.override(import_module(settings.PEOPLE).language_of(recipient) or settings.LANGUAGE_CODE):
        yield


def within(words: str) -> str:
    """Amid a sentence, where English begins with a small letter; other languages decide it by the word."""
    english = (translation.get_language() or settings.LANGUAGE_CODE).startswith("en")
    return words[:1].lower() + words[1:] if english and not words[1:2].isupper() else words
