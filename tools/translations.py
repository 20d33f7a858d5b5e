"""Keeps locale/ in step with the code: finds every marked message, writes it into each django.po, compiles django.mo.

`python tools/translations.py` does that; `--check` only says what a translator has to do, and changes nothing.
Babel instead of GNU gettext, so that it runs wherever Python does; Django's own reader finds what templates say.
"""

import ast
import functools
import io
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
CODE = ("portal", "sync")
TEMPLATES = "templates"
# `_`, `_now` and `_lazy` are what Django's functions are imported as.
# How many of its first arguments are texts of the message.
KEYWORDS = {
    **dict.fromkeys(("_", "_now", "_lazy", "gettext", "gettext_lazy", "gettext_noop"), 1),
    **dict.fromkeys(("ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"), 2),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), 3),
}
# What must stand in a translation as it stands in its message: %(name)s, %%, {name} and tags.
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdr%]|\{[^{}]*\}|</?\w[^>]*>")


def main(arguments: list[str]) -> int:
    found = messages()
    problems = []
    for path in languages():
        catalog = updated(path, found)
        if "--check" not in arguments:
            path.write_bytes(written(catalog))
            path.with_suffix(".mo").write_bytes(compiled(catalog))
        problems += [f"{path.relative_to(ROOT)}: {one}" for one in [*stale(path, found), *unfit(catalog)]]
    print("\n".join(problems) or "Every message is translated.")
    return 1 if problems else 0


def languages() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def messages() -> Catalog:
    """Every marked message, in the order of files, each with the files that say it."""
    catalog = Catalog()
    for path, tree in trees().items():
        for name, texts in of_python(tree):
            add(catalog, path, name, texts)
    for path in sorted((ROOT / TEMPLATES).rglob("*.*")):
        for name, texts in of_template(path.read_text()):
            add(catalog, path, name, texts)
    return catalog


@functools.cache
def trees() -> dict[Path, ast.Module]:
    paths = sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
    return {path: ast.parse(path.read_text()) for path in paths}


def of_python(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """By the tree: Babel's reader sees no message that stands inside an f-string."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            arguments = node.args[: KEYWORDS[node.func.id]]
            # Anything but a text is worked out at run time: what it can be is marked where it stands.
            texts = [one.value for one in arguments if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if len(texts) == len(arguments):
                yield node.func.id, texts


def of_template(template: str) -> Iterator[tuple[str, list[str]]]:
    with warnings.catch_warnings():
        # Django's reader warns of comments for translators that stand elsewhere in their line.
        warnings.simplefilter("ignore")
        # What stands around the messages comes back as X, indented like no Python.
        code = re.sub(r"^\s+", "", templatize(template), flags=re.MULTILINE)
    for _line, name, found, _comments in extract_python(io.BytesIO(code.encode()), KEYWORDS, (), {}):
        yield name, list(found if isinstance(found, tuple) else (found,))[: KEYWORDS[name]]


def add(catalog: Catalog, path: Path, name: str, texts: list[str]) -> None:
    context = texts.pop(0) if "pgettext" in name else None
    if any(texts):
        message = tuple(texts) if len(texts) > 1 else texts[0]
        catalog.add(message, context=context, locations=[(str(path.relative_to(ROOT)), 0)])


def updated(path: Path, found: Catalog) -> Catalog:
    """What the file says of the messages that there are: new ones are empty, old ones gone."""
    catalog = read_po(io.BytesIO(path.read_bytes()), locale=path.parent.parent.name)
    catalog.update(found, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    return catalog


def written(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalog, width=120, include_lineno=False)
    return file.getvalue()


def compiled(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def stale(path: Path, found: Catalog) -> Iterator[str]:
    """Where the files do not follow from each other. Compared by meaning: versions of Babel lay them out differently."""
    catalog = read_po(io.BytesIO(path.read_bytes()), locale=path.parent.parent.name)
    if keys(catalog) != keys(found):
        yield "does not have the messages of the code; run python tools/translations.py"
    if said(read_mo(io.BytesIO(path.with_suffix(".mo").read_bytes()))) != said(catalog):
        yield "django.mo is not made of it; run python tools/translations.py"


def keys(catalog: Catalog) -> set[Any]:
    return {(message.context, message.id) for message in catalog if message.id}


def said(catalog: Catalog) -> dict[Any, tuple[str, ...]]:
    translated = (message for message in catalog if message.id and any(forms(message.string)) and not message.fuzzy)
    return {(message.context, forms(message.id)): forms(message.string) for message in translated}


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """Singular and plural, or what has no plural."""
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def unfit(catalog: Catalog) -> Iterator[str]:
    for message in catalog:
        if message.id and (why := fault(message)):
            yield f"{why}: {message.id!r}"


def fault(message: Message) -> str:
    translated = forms(message.string)
    if not all(translated):
        return "missing"
    if message.fuzzy:
        return "fuzzy"
    # A language may have more plural forms than English; the last one is for any number.
    allowed = [marks(one) for one in forms(message.id)]
    if not all(marks(form) in allowed for form in translated) or marks(translated[-1]) != allowed[-1]:
        return "other placeholders or tags"
    return ""


def marks(text: str) -> Counter[str]:
    return Counter(PLACEHOLDER.findall(text))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
