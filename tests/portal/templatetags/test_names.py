"""Names as pages show them: what cannot be seen is marked, and nothing in a name turns the text around it."""

import re

import pytest
from django.template import Context, Template
from django.template.context import RequestContext
from django.test import RequestFactory

from portal.templatetags.lockstep import name
from sync.models import Tenant

OVERRIDE, ZERO_WIDTH, NO_BREAK = "\u202e", "\u200b", "\u00a0"
ADA = "aaaaaaaa-1111-4111-8111-111111111111"


@pytest.mark.parametrize("hidden", [OVERRIDE, ZERO_WIDTH, NO_BREAK, "\u2066", "\ufeff", "\t"])
def test_what_cannot_be_seen_is_marked_in_the_text_and_in_the_title(hidden: str) -> None:
    shown, code = name(f"Ada{hidden}Lace"), f"U+{ord(hidden):04X}"
    title = re.search(r'<bdi class="ls-name" title="([^"]*)">', shown)
    assert title is not None
    assert title[1] == f"Ada[{code}]Lace"
    assert f">{code}</span>" in shown
    assert hidden not in shown


def test_letters_of_every_script_and_plain_blanks_stay_as_they_are() -> None:
    for text in ("Ada Lovelace", "عبد الله", "李 小龍", "Zoë"):
        assert f'title="{text}"' in name(text)
        assert name(text).endswith(f">{text}</bdi>")


def test_a_title_is_escaped() -> None:
    assert 'title="&quot;&gt;&lt;b&gt;"' in name('"><b>')


def test_the_filter_for_attributes_marks_alike() -> None:
    shown = Template('<a aria-label="{{ who|visible_text }}">').render(Context({"who": f"A{OVERRIDE}<"}))
    assert shown == '<a aria-label="A[U+202E]&lt;">'


def linked(kind: str, object_id: str, text: str) -> str:
    page = Template("{% named kind object_id text %}")
    facts = {"tenant": Tenant(slug="acme"), "kind": kind, "object_id": object_id, "text": text}
    return page.render(RequestContext(RequestFactory().get("/"), facts))


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "folder"), [("user", "people"), ("group", "groups"), ("membership", "groups")])
def test_a_name_leads_to_the_page_of_its_person_or_group(kind: str, folder: str) -> None:
    assert linked(kind, ADA, "Ada").startswith(f'<a href="/t/acme/{folder}/{ADA}/">')


@pytest.mark.django_db
def test_what_has_no_id_of_entra_is_a_name_alone() -> None:
    assert linked("user", "", "Ada") == name("Ada")
    assert linked("user", "no-guid", "Ada") == name("Ada")
