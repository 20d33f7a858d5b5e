"""Help has a page for each code that the engine can bring up, and for no other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from portal.pages.help.words import ACTIONS, KINDS, RUN_KINDS
from portal.words.codes import Area, entries, without_facts
from portal.words.states import WORDS
from sync.connection.checks.entra import SIGN_IN_CODES
from sync.connection.checks.outcomes import OUTCOMES
from sync.models import Action, Run
from sync.problems.catalogue import PROBLEMS, SCOPE_HELP, SCOPE_REASONS
from sync.rules import filter_checks, messages
from sync.rules.scope import Reason
from sync.runs.outcomes import RunStopped

ROOT = Path(__file__).parents[3]
# What is made with a code as its first argument, and where such a code is met.
MAKERS = {
    "MappingProblem": Area.MAPPING,
    "FilterProblem": Area.FILTER,
    "CheckFinding": Area.CHECK,
    "Diagnosis": Area.PROBLEM,
}


def made_in(path: Path) -> Iterator[tuple[Area, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(code)), *_]) if name in MAKERS and code:
                yield MAKERS[name], code


def stops(kind: type[RunStopped] = RunStopped) -> Iterator[str]:
    for one in kind.__subclasses__():
        yield from [one.code, *stops(one)]


def test_every_code_that_the_engine_names_has_a_meaning() -> None:
    made = {one for path in (ROOT / "sync").rglob("*.py") for one in made_in(path)}
    assert len(made) > 50
    known = {(entry.area, entry.code) for entry in entries()}
    assert made - known == set()
    assert {(Area.PROBLEM, code) for code in stops() if code} - known == set()
    assert {(Area.CHECK, code) for code in SIGN_IN_CODES.values()} - known == set()
    assert {(Area.SCOPE, reason.value) for reason in Reason} - known == set()


def test_help_and_the_tables_of_the_engine_are_equal() -> None:
    tables = {
        Area.PROBLEM: PROBLEMS.keys(),
        Area.CHECK: OUTCOMES.keys(),
        Area.MAPPING: messages.MESSAGES.keys(),
        Area.FILTER: filter_checks.MESSAGES.keys(),
        Area.SCOPE: SCOPE_REASONS.keys(),
    }
    assert {(area, code) for area, codes in tables.items() for code in codes} == {
        (entry.area, entry.code) for entry in entries()
    }
    assert SCOPE_HELP.keys() == SCOPE_REASONS.keys()


def test_every_entry_says_what_it_is_and_what_to_do() -> None:
    for entry in entries():
        assert entry.title, entry.code
        assert "%(" not in " ".join((entry.title, entry.meaning, *entry.steps)), entry.code
        if entry.area in (Area.PROBLEM, Area.CHECK):
            assert entry.meaning, entry.code
            assert entry.steps, entry.code


def test_facts_that_nobody_has_here_are_named() -> None:
    assert without_facts("%(count)d of 100%% is “%(other_value)s”.") == "‹count› of 100% is “‹other value›”."


@pytest.mark.django_db
def test_every_code_has_a_page(jo: Client) -> None:
    for code in sorted({entry.code for entry in entries()}):
        answer = jo.get(f"/help/errors/{code}/")
        assert answer.status_code == 200, code
        shown = answer.context["meanings"]
        assert shown == [entry for entry in entries() if entry.code == code]
    assert jo.get("/help/errors/no-such-code/").status_code == 404


def test_every_word_that_pages_show_is_explained() -> None:
    for kind, (_title, meanings) in KINDS.items():
        assert meanings.keys() == WORDS[kind].keys(), kind
    assert set(RUN_KINDS) == set(Run.Kind)
    assert set(ACTIONS) == set(Action)
