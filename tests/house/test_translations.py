"""Every language is whole: each message of the code is translated, with the same placeholders, and compiled."""

import ast
import functools
import re
from collections.abc import Iterator
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


def test_every_word_of_a_template_is_marked() -> None:
    """Names of products and formats are the same everywhere."""
    same = {"AWS", "CSV", "Entra", "HTTP", "Lockstep", "OpenAPI", "Slack", "Teams"}
    found = {path.name: words_of(path.read_text()) - same for path in (translations.ROOT / "templates").rglob("*.html")}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ('<p>Sync {% translate "now" %}</p>', {"Sync"}),
        ('<p title="Sync now">{{ name }}</p>', {"Sync", "now"}),
        ('<p title="{% translate "Sync" %}">{% blocktranslate %}Run {{ n }}{% endblocktranslate %}</p>', set()),
        ("<code>PATCH</code>{# a remark #}", set()),
    ],
)
def test_a_word_that_is_not_marked_is_found(template: str, words: set[str]) -> None:
    assert words_of(template) == words


def words_of(template: str) -> set[str]:
    """What stands between tags and in attributes that are read out, and is neither code nor marked."""
    marked = r"{% (blocktranslate|comment).*?{% end\1 %}|{#.*?#}|{%.*?%}|{{.*?}}"
    plain = re.sub(marked, " ", template, flags=re.DOTALL)
    shown = re.findall(r'\b(?:title|aria-label|placeholder|alt|data-label)="([^"]*)"', plain)
    shown.append(re.sub(r"<(code|kbd|svg|pre)\b.*?</\1>|<[^>]*>", " ", plain, flags=re.DOTALL))
    return set(re.findall(r"[A-Za-z]{3,}", " ".join(shown)))


def test_words_are_looked_up_when_somebody_reads_them() -> None:
    """Not while a module is read, nor once for all who ask: the next reader may have another language."""
    found = []
    for path, tree in translations.trees().items():
        if eager := eager_names(tree):
            found += [f"{path.name}:{line}" for line in looked_up_too_early(tree, eager)]
    assert found == []


@pytest.mark.parametrize(
    ("code", "early"),
    [
        ("WORD = _('Run')", True),
        ("class Form:\n    label = _('Run')", True),
        ("def words(): return _('Run')", False),
        ("WORDS = {'run': lambda n: _('Run')}", False),
        ("@functools.cache\ndef words(): return _('Run')", True),
    ],
)
def test_a_word_that_is_looked_up_too_early_is_found(code: str, early: bool) -> None:
    assert bool([*looked_up_too_early(ast.parse(code), {"_"})]) is early


def eager_names(tree: ast.Module) -> set[str]:
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    given = [name for node in imports if node.module == "django.utils.translation" for name in node.names]
    return {name.asname or name.name for name in given if name.name in {"gettext", "ngettext", "pgettext", "npgettext"}}


def looked_up_too_early(node: ast.AST, eager: set[str]) -> Iterator[int]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in eager:
        yield node.lineno
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda) or is_cached(child):
            yield from looked_up_too_early(child, eager)


def is_cached(node: ast.FunctionDef | ast.Lambda) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(ast.unparse(one).startswith(("functools.cache", "functools.lru_cache")) for one in decorators)


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
