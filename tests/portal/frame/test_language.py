"""Pages speak the language that their reader chose, else the one that the browser asks for; programs get English."""

import datetime
import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import translation

from portal.models import Role, User
from sync import audit
from sync.models import AuditEntry, Configuration, Run, Tenant
from sync.problems import languages
from tests.world.api import Script, token_of
from tests.world.people import person

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}


@pytest.fixture
def reader(tenant: Tenant, owner: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(owner)


def language_of(answer: object) -> tuple[str, str]:
    """Of the page, and as its header says."""
    [written] = re.findall(r'<html lang="([\w-]+)"', answer.content.decode())  # type: ignore[attr-defined]
    return written, answer["Content-Language"]  # type: ignore[index]


def test_a_page_is_in_the_language_that_the_browser_asks_for(reader: Client) -> None:
    answer = reader.get("/t/acme/logs/", headers=GERMAN)
    assert language_of(answer) == ("de", "de")
    assert "Protokolle" in answer.content.decode()
    assert language_of(reader.get("/t/acme/logs/")) == ("en", "en"), "the next one of this thread asks for nothing"


def test_a_language_that_we_do_not_speak_is_answered_in_english(reader: Client) -> None:
    assert language_of(reader.get("/t/acme/logs/", headers={"Accept-Language": "fr"})) == ("en", "en")


def test_what_a_person_chose_counts_more_than_the_browser(reader: Client, owner: User) -> None:
    User.objects.update(language="en")
    assert language_of(reader.get("/t/acme/logs/", headers=GERMAN)) == ("en", "en")
    User.objects.update(language="de")
    assert language_of(reader.get("/t/acme/logs/")) == ("de", "de")
    User.objects.update(language="xx")
    assert language_of(reader.get("/t/acme/logs/")) == ("en", "en"), "a language that is no longer there"


def test_a_person_chooses_a_language_beside_the_time_zone(reader: Client, owner: User) -> None:
    form = {"name": "Jo", "language": "de", "time_zone": "UTC", "appearance": "dark", "density": "compact"}
    answer = reader.post("/me/", form, follow=True)
    owner.refresh_from_db()
    assert owner.language == "de"
    assert "Gespeichert." in answer.content.decode()
    assert reader.post("/me/", form | {"language": "xx"}).status_code == 422
    reader.post("/me/", form | {"language": ""})
    assert language_of(reader.get("/me/")) == ("en", "en")


def test_nobody_is_asked_for_a_language_before_signing_in(db: None, owner: User) -> None:
    assert language_of(Client().get("/account/login/", headers=GERMAN)) == ("de", "de")


def test_what_is_refused_before_it_is_known_who_asks_is_in_the_browsers_language(reader: Client) -> None:
    answer = reader.get("/t/acme/?q=%00", headers=GERMAN)
    assert (answer.status_code, language_of(answer)[0]) == (400, "de")


def test_programs_get_the_same_words_whoever_asks(tenant: Tenant) -> None:
    script = person("ann@acme.example", Role.VIEWER, tenant)
    User.objects.update(language="de")
    answer = Script(token_of(script)).get("/tenants/nowhere", accept_language="de")
    assert answer.json()["title"] == "There is nothing here"  # type: ignore[attr-defined]


def test_the_audit_log_names_things_in_the_installation_s_language(reader: Client, tenant: Tenant) -> None:
    """An entry is signed, and read by everybody."""
    with translation.override("de"):
        audit.record("jo@acme.example", "draft.discard", Configuration(tenant=tenant))
    assert AuditEntry.objects.latest("pk").object_name == "Draft"


@pytest.mark.pure
def test_numbers_and_days_are_written_as_the_language_does() -> None:
    at = datetime.datetime(2026, 3, 4, 18, 27, tzinfo=datetime.UTC)
    for language, number, moment in (("en", "1,204", "4 Mar 2026, 18:27"), ("de", "1.204", "4. März 2026, 18:27")):
        with translation.override(language):
            assert (languages.grouped(1204), languages.moment(at)) == (number, moment)


@pytest.mark.pure
def test_a_word_is_small_amid_a_sentence_where_the_language_is_known_to_do_so() -> None:
    for language, words in (("en", "by hand, API, change in Entra"), ("de", "Befehl, API, Änderung in Entra")):
        with translation.override(language):
            said = [languages.within(str(one)) for one in ({"en": "By hand", "de": "Befehl"}[language], "API")]
            said.append(languages.within(str(Run.Trigger.CHANGE.label)))
            assert ", ".join(said) == words
