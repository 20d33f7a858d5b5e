"""Every language is whole: each message of the code is translated, with the same placeholders, and compiled."""

import functools
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from tools import translations

pytestmark = pytest.mark.pure


@functools.cache
def found() -> Catalog:
    return translations.messages()


@pytest.mark.parametrize("path", translations.languages(), ids=lambda path: path.parent.parent.name)
def test_a_language_says_everything(path: Path) -> None:
    """`python tools/translations.py` writes new messages into the file, for a translator."""
    assert [*translations.stale(path, found()), *translations.unfit(translations.updated(path, found()))] == []


def test_messages_of_python_and_of_templates_are_found() -> None:
    told = {message.id: message for message in found()}
    assert told["Sync now"].locations
    assert ("%(n)s person", "%(n)s people") in told
    assert "%(n)s of %(all)s" in told, "by a template, where it is {{ n }} of {{ all }}"


def test_what_a_language_lacks_is_missing() -> None:
    assert unfit("Sync now", "") == ["missing: 'Sync now'"]


@pytest.mark.parametrize(
    ("message", "translated", "fits"),
    [
        ("Run %(n)s", "Lauf %(n)s", True),
        ("Run %(n)s", "Lauf %(m)s", False),
        ("Run %(n)s", "Lauf", False),
        ("50 %% free", "50 %% frei", True),
        ("50 %% free", "50 % frei", False),
        ("{name} left", "{nam} ist gegangen", False),
        ('See <a href="%(url)s">Logs</a>', 'Siehe <a href="%(url)s">Protokolle</a>', True),
        ('See <a href="%(url)s">Logs</a>', 'Siehe <a href="%(url)s">Protokolle', False),
        (("%(n)s person", "%(n)s people"), ("eine Person", "%(n)s Personen"), False),
        (("One person", "%(n)s people"), ("Eine Person", "%(n)s Personen"), True),
        (("%(n)s person", "%(n)s people"), ("%(n)s Person", "Personen"), False),
    ],
)
def test_placeholders_and_tags_stand_in_both(
    message: str | tuple[str, str], translated: str | tuple[str, str], fits: bool
) -> None:
    assert unfit(message, translated) == ([] if fits else [f"other placeholders or tags: {message!r}"])


def test_a_guessed_translation_counts_for_nothing() -> None:
    assert unfit("Sync now", "Synchronisieren?", flags=["fuzzy"]) == ["fuzzy: 'Sync now'"]


def test_a_language_that_was_not_compiled_again_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(translations.written(catalog_of("Sync now", "Jetzt synchronisieren")))
    path.with_suffix(".mo").write_bytes(translations.compiled(catalog_of("Sync now", "Jetzt abgleichen")))
    assert [one.split(";")[0] for one in translations.stale(path, catalog_of("Sync now", ""))] == [
        "django.mo is not made of it"
    ]
    assert len(list(translations.stale(path, catalog_of("Sync soon", "")))) == 2


def unfit(
    message: str | tuple[str, str], translated: str | tuple[str, str], flags: list[str] | None = None
) -> list[str]:
    return list(translations.unfit(catalog_of(message, translated, flags)))


def catalog_of(
    message: str | tuple[str, str], translated: str | tuple[str, str], flags: list[str] | None = None
) -> Catalog:
    catalog = Catalog(locale="de")
    catalog.add(message, translated, flags=flags or ())
    return catalog
