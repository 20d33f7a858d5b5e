"""Template tags of every page: icons, status words, times, form fields."""

import base64
import datetime
import functools
import hashlib
import json
import unicodedata
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.forms import BoundField, CheckboxInput, Form, RadioSelect
from django.template.context import RequestContext
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.words.provisioning import off_words, until_words
from portal.words.states import LOOKS, WORDS
from sync.health.queries.presence import somebody_works
from sync.models import Run, Tenant
from sync.problems import languages
from sync.queue import RUNS

register = template.Library()

SPRITE = "vendor/tabler-icons-3/sprite.svg"


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """An icon of the sprite; there is always a word beside it, so screen readers skip it."""
    return format_html(
        '<svg class="ls-icon" width="{0}" height="{0}" aria-hidden="true" focusable="false"><use href="{1}#{2}"/></svg>',
        size,
        static(SPRITE),
        name,
    )


QUIET = ("good", "neutral")


@register.simple_tag
def status(kind: str, value: str, icon_only: bool = False) -> SafeString:
    """A status word with its shape; only trouble and work in progress are tinted."""
    word, (family, shape) = WORDS[kind][value], LOOKS[kind][value]
    if icon_only:
        return format_html(
            '<span class="ls-status ls-c-{}">{}<span class="visually-hidden">{}</span></span>',
            family,
            icon(shape, 18),
            word,
        )
    return _marked(family, shape, word)


def _marked(family: str, shape: str, words: Any) -> SafeString:
    css = f"ls-status ls-c-{family}" if family in QUIET else f"ls-tag ls-tag-{family}"
    return format_html('<span class="{}">{}{}</span>', css, icon(shape, 16 if family in QUIET else 14), words)


@register.simple_tag
def provisioning_status(tenant: Tenant, word: str) -> SafeString:
    """As `status`; of a pause with its end."""
    words = format_html("<span>{}</span>", paused_until(tenant)) if word == "paused" else WORDS["provisioning"][word]
    return _marked(*LOOKS["provisioning"][word], words)


@register.simple_tag
def paused_until(tenant: Tenant) -> SafeString:
    assert tenant.resume_at is not None, "of a paused tenant"
    return format_html(_("Paused until {time}"), time=_time(tenant.resume_at, until_words(tenant)))


register.simple_tag(off_words)


@register.simple_tag
def mark_of(kind: str, value: str) -> SafeString:
    """A state as a small mark in a row of them, which is told in words beside it."""
    family, shape = LOOKS[kind][value]
    return format_html('<span class="ls-status ls-c-{}">{}</span>', family, icon(shape, 14))


@register.simple_tag
def awaited_worker(queue: str = RUNS) -> str:
    """Why nobody has taken something yet: whoever waits for a busy worker need not start one."""
    if somebody_works(queue):
        return _("All workers are busy: it begins when one is free.")
    return _("No worker is running: it begins when the worker service does.")


@register.simple_tag(takes_context=True)
def run_link(context: RequestContext, run: Run) -> SafeString:
    tenant: Tenant = context.get("tenant") or run.tenant
    words = _("Run %(n)s") % {"n": run.number}
    return format_html('<a href="{}">{}</a>', reverse("run", args=[tenant.slug, run.number]), words)


@register.simple_tag
def code(name: str) -> SafeString:
    """A problem's code, which leads to what it means."""
    return format_html('<a class="ls-code-link" href="{}"><code>{}</code></a>', reverse("help_code", args=[name]), name)


@register.simple_tag
def draft_mark(n: int) -> SafeString | str:
    """How many changes of a page are not published, for the menu."""
    if not n:
        return ""
    words = ngettext("%(n)s change not published", "%(n)s changes not published", n) % {"n": n}
    return format_html('<span aria-hidden="true">•{}</span><span class="visually-hidden"> {}</span>', n, words)


@register.simple_tag
def moment(value: datetime.datetime | datetime.date | None, seconds: bool = False) -> SafeString | str:
    """23 Nov 2026, 18:27 in the reader's zone."""
    if value is None:
        return "–"
    if not isinstance(value, datetime.datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), languages.day(value))
    return _time(value, languages.moment(timezone.localtime(value), seconds))


@register.simple_tag
def clock(value: datetime.datetime, seconds: bool = True) -> SafeString:
    """18:27:04 in the reader's zone, where the day stands above."""
    return _time(value, date_format(timezone.localtime(value), "H:i:s" if seconds else "H:i"))


def _time(value: datetime.datetime, written: str) -> SafeString:
    stamp = value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}">{}</time>', stamp, written)


@register.simple_tag
def printed() -> SafeString | str:
    """When the page was made, for paper."""
    return moment(timezone.now())


@register.simple_tag
def ago(value: datetime.datetime | None) -> str:
    """6 min ago, up to a day."""
    if value is None:
        return ""
    seconds = int((timezone.now() - value).total_seconds())
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return ngettext("%(n)s min ago", "%(n)s min ago", seconds // 60) % {"n": seconds // 60}
    if seconds < 86400:
        return ngettext("%(n)s hour ago", "%(n)s hours ago", seconds // 3600) % {"n": seconds // 3600}
    return ngettext("%(n)s day ago", "%(n)s days ago", seconds // 86400) % {"n": seconds // 86400}


@register.simple_tag
def duration(value: datetime.timedelta | float | None) -> str:
    """320 ms, 4 s, 12 min 4 s."""
    if value is None:
        return "–"
    seconds = value.total_seconds() if isinstance(value, datetime.timedelta) else float(value)
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{number_format(seconds, 1)} s" if seconds < 10 else f"{round(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@register.filter(expects_localtime=True)
def day(value: datetime.date, weekday: str = "") -> str:
    return languages.day(value, bool(weekday))


@register.filter(expects_localtime=True)
def written(value: datetime.datetime) -> str:
    """As `moment`, where a tag cannot stand."""
    return languages.moment(value)


@register.filter
def within(words: str) -> str:
    return languages.within(words)


@register.filter
def translated(text: str) -> str:
    """What is stored as a marked message, in the reader's words; what another machine said stays as it is."""
    return _(text) if text else ""


@register.inclusion_tag("partials/_field.html")
def field(bound: BoundField) -> dict[str, Any]:
    widget = bound.field.widget
    described = [f"{bound.auto_id}-error"] if bound.errors else []
    described += [f"{bound.auto_id}-help"] if bound.help_text else []
    attributes: dict[str, str | bool] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    radio = isinstance(widget, RadioSelect)
    return {
        "field": bound,
        "radio": radio,
        "checkbox": isinstance(widget, CheckboxInput),
        # Of the person: what a connection needs is never shown again.
        "secret": "password" in str(widget.attrs.get("autocomplete", "")),
        "control": bound if radio else bound.as_widget(attrs=attributes),
    }


@register.inclusion_tag("partials/_error_summary.html")
def error_summary(form: Form) -> dict[str, Any]:
    return {"form": form}


@register.simple_tag
def script(path: str) -> SafeString:
    """A browser runs it as this release holds it, or not at all (Subresource Integrity)."""
    if settings.DEBUG:
        return format_html('<script src="{}" defer></script>', static(path))
    return format_html('<script src="{}" integrity="{}" defer></script>', static(path), integrity_of(path))


@functools.cache
def integrity_of(path: str) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(_content_of(path)).digest()).decode()


def _content_of(path: str) -> bytes:
    """As it is given out: what is collected for a manifest may differ from its source."""
    if isinstance(staticfiles_storage, ManifestFilesMixin):
        with staticfiles_storage.open(staticfiles_storage.stored_name(path)) as file:
            content: bytes = file.read()
            return content
    return Path(str(finders.find(path))).read_bytes()


@register.simple_tag
def visible(value: Any) -> SafeString:
    """A value with its blank and invisible characters marked: they are what AWS refuses most often."""
    text = _text(value)
    return (
        format_html("{}", text) if text.isprintable() else format_html_join("", "{}", ((_mark(one),) for one in text))
    )


@register.simple_tag
def name(value: Any) -> SafeString:
    """Of a person or group: two lines of it, all of it on demand; its letters change nothing around it (UAX #9)."""
    return format_html('<bdi class="ls-name" title="{}">{}</bdi>', visible_text(value), visible(value))


@register.filter
def visible_text(value: Any) -> str:
    """As `visible`, for attributes and titles: a control character there would turn what stands around it too."""
    return "".join(char if char.isprintable() else f"[{_code(char)}]" for char in _text(value))


@register.simple_tag(takes_context=True)
def named(context: RequestContext, object_type: str, object_id: str, value: Any) -> SafeString:
    """A name that leads to the page of the person or group of Entra. `object_type`: a membership's is its group."""
    shown = name(value or object_id)
    url = page_of(context["tenant"], object_type, object_id)
    return format_html('<a href="{}">{}</a>', url, shown) if url else shown


def page_of(tenant: Tenant, object_type: str, object_id: str) -> str:
    """ "" where there is no id of Entra, as of what AWS alone holds."""
    try:
        return reverse("person" if object_type == "user" else "group", args=[tenant.slug, object_id])
    except NoReverseMatch:
        return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _mark(char: str) -> SafeString:
    if char.isprintable():
        return format_html("{}", char)
    code = _code(char)
    return format_html('<span class="ls-invisible" title="{}">{}</span>', unicodedata.name(char, code), code)


def _code(char: str) -> str:
    return f"U+{ord(char):04X}"
