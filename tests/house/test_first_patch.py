"""The first patch that CONTRIBUTING describes, done as it stands there."""

import re
import shlex
import textwrap
from typing import Any

import pytest

from sync.expressions import docs, evaluate, parse, table
from sync.expressions.library import letters
from sync.management.commands import expression
from tests.world.programs import ROOT

pytestmark = pytest.mark.pure
TEXT = (ROOT / "CONTRIBUTING.md").read_text()


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """As if the block stood at the end of the file that the text names."""
    before = dict(table.FUNCTIONS)
    block = re.search(r"^ *```python\n(.*?)^ *```$", TEXT, re.MULTILINE | re.DOTALL)
    assert block
    names = dict(vars(letters))
    exec(textwrap.dedent(block.group(1)), names)
    after = dict(table.FUNCTIONS)
    table.FUNCTIONS.clear()
    table.FUNCTIONS.update(before)
    for name in after.keys() - before.keys():
        monkeypatch.setitem(table.FUNCTIONS, name, after[name])
    return {name: after[name] for name in after.keys() - before.keys()}


def test_the_entry_works_by_its_own_example(patched: dict[str, Any]) -> None:
    (entry,) = patched.values()
    assert expression.value_as_json(evaluate(parse(entry.example), docs.PERSON, now=docs.MOMENT)) == entry.gives
    assert evaluate(parse("Backwards([otherMails])"), {"otherMails": ["ab", "cd"]}, now=docs.MOMENT) == ["ba", "dc"]


def test_the_command_prints_what_the_text_says(patched: dict[str, Any]) -> None:
    found = re.search(r"`python3 run.py expression (.*?)` prints `(.*?)`", TEXT)
    assert found
    source, _option, given = shlex.split(found.group(1))
    assert expression.worked_out(source, given, None) == found.group(2)


def test_the_document_has_it_afterwards(patched: dict[str, Any]) -> None:
    (entry,) = patched.values()
    assert entry.signature not in docs.PAGE.read_text(encoding="utf-8")
    assert entry.signature in docs.page()
