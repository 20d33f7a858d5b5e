"""Help, for everybody who is signed in: codes, words, and the error translator."""

from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from portal.access.pages import Audience, site_page
from portal.access.request import HttpRequest
from portal.frame.render import render_page, render_question
from portal.pages.help import translation
from portal.pages.help.forms import TranslateForm
from portal.pages.help.shortcuts import shortcuts
from portal.pages.help.words import word_groups
from portal.words.codes import Area, entries, entries_of
from sync.connection.pasted_errors import read_error

# Where AWS or Microsoft said something.
ANSWERED = (Area.PROBLEM, Area.CHECK)


@site_page(read=Audience.SIGNED_IN)
def index(request: HttpRequest) -> HttpResponse:
    """`q` filters the codes."""
    text = request.GET.get("q", "").strip()[:100]
    found = [entry for entry in entries() if entry.matches(text)]
    areas = [(area.label, [entry for entry in found if entry.area == area]) for area in Area]
    context = {"text": text, "count": len(found), "areas": [(label, some) for label, some in areas if some]}
    return render_page(request, "help/index.html", context, partial="found")


@site_page(read=Audience.SIGNED_IN)
def code_page(request: HttpRequest, code: str) -> HttpResponse:
    found = entries_of(code)
    if not found:
        raise Http404(_("There is no such code."))
    context = {"code": code, "meanings": found, "operations": translation.operations_of(request.user, code)}
    return render_page(request, "help/code.html", context)


@site_page(read=Audience.SIGNED_IN)
def words(request: HttpRequest) -> HttpResponse:
    return render_page(request, "help/words.html", {"groups": word_groups()})


@site_page(read=Audience.SIGNED_IN)
def keyboard(request: HttpRequest) -> HttpResponse:
    """A page of its own, and what `?` shows on every other."""
    context = {"groups": shortcuts(), "on": request.user.shortcuts}
    return render_question(request, "help/shortcuts.html", _("Keyboard shortcuts"), context)


@site_page(read=Audience.SIGNED_IN, act=Audience.SIGNED_IN)
def translate(request: HttpRequest) -> HttpResponse:
    """By POST, so that what is pasted is in no address and no log."""
    form = TranslateForm(request.POST or None)
    context = {"form": form, **(_translated(request, form.cleaned_data["text"]) if form.is_valid() else {})}
    return render_page(request, "help/translate.html", context, status=422 if form.errors else 200)


def _translated(request: HttpRequest, text: str) -> dict[str, Any]:
    found = read_error(text)
    known = entries_of(found.code, answered=True) if found else []
    return {
        "asked": True,
        "found": found,
        "meanings": [entry for entry in known if entry.area in ANSWERED],
        "people": translation.people_in(request.user, text),
        "operations": translation.operations_like(request.user, found) if found else [],
    }
