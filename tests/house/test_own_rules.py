"""Rules of this house that no linter knows, held against the source."""

import ast
import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.db import transaction

from tests.world.outside import is_in_transaction

ROOT = Path(__file__).parent.parent.parent
PRODUCT = ("sync", "portal")
SENDS = {"get", "post", "put", "patch", "delete", "head", "options", "request", "urlopen"}
# What a request is sent by: a name, or the end of one.
SENDERS = ("requests", "session", "_session", "http", "_http", "_opened")
# Where a pattern is put together, and of what.
PUT_TOGETHER = {
    "portal/access/passwords.py": "of words that re.escape has passed",
    "sync/expressions/formats.py": "of our own pieces, and of letters that re.escape has passed",
    "sync/scim/endpoint.py": "of the table of AWS's partitions",
}

pytestmark = pytest.mark.pure


@functools.cache
def trees() -> dict[str, ast.Module]:
    paths = [path for place in PRODUCT for path in sorted((ROOT / place).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in paths}


def calls() -> Iterator[tuple[str, ast.Call]]:
    for name, tree in trees().items():
        yield from ((name, node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def end_of(node: ast.expr) -> str:
    """The last name of what is called: `a.b.get` -> get, `self._opened()` -> _opened."""
    if isinstance(node, ast.Call):
        return end_of(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def test_markup_is_made_by_format_html_alone() -> None:
    found = [name for name, tree in trees().items() for node in ast.walk(tree) if is_named(node, "mark_safe")]
    assert found == []


def is_named(node: ast.AST, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.alias) and node.name == name)


def test_only_what_stands_in_the_source_is_declared_safe() -> None:
    declared = [(name, call) for name, call in calls() if end_of(call.func) == "SafeString"]
    assert declared
    assert [name for name, call in declared if not isinstance(call.args[0], ast.Constant)] == []


@pytest.mark.parametrize("words", [r"\|\s*safe\b", r"\{%\s*autoescape\s+off", r"\|\s*safeseq\b"])
def test_no_template_turns_escaping_off(words: str) -> None:
    pages = [path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"}]
    assert len(pages) > 100
    assert [str(path) for path in pages if re.search(words, path.read_text())] == []


def test_certificates_are_always_checked() -> None:
    off = [
        f"{name}:{call.lineno}"
        for name, call in calls()
        for given in call.keywords
        if given.arg in ("verify", "cert_reqs", "check_hostname")
        and isinstance(given.value, ast.Constant)
        and given.value.value in (False, "CERT_NONE", None)
    ]
    unchecked = [name for name in trees() if re.search("CERT_NONE|_create_unverified", (ROOT / name).read_text())]
    assert off + unchecked == []


def requests_sent() -> Iterator[tuple[str, ast.Call]]:
    for name, call in calls():
        func = call.func
        if (
            name in clients()
            and isinstance(func, ast.Attribute)
            and func.attr in SENDS
            and end_of(func.value) in SENDERS
        ):
            yield f"{name}:{call.lineno}", call


@functools.cache
def clients() -> set[str]:
    """Files that import what sends."""
    names = {"requests", "urllib3", "sync.graph.session"}
    return {
        name
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and {one.name for one in node.names} & names)
        or (isinstance(node, ast.ImportFrom) and node.module in names)
    }


def test_every_request_has_a_time_limit() -> None:
    sent = dict(requests_sent())
    assert len(sent) >= 5
    assert [place for place, call in sent.items() if "timeout" not in {one.arg for one in call.keywords}] == []


def test_no_request_follows_a_redirect() -> None:
    """It would take secrets to whoever the answer names."""
    sent = dict(requests_sent())
    assert [place for place, call in sent.items() if not {"allow_redirects", "redirect"} & set(refused_by(call))] == []


def refused_by(call: ast.Call) -> list[str]:
    """Switches that are off."""
    return [str(one.arg) for one in call.keywords if isinstance(one.value, ast.Constant) and one.value.value is False]


def test_patterns_of_admins_never_reach_the_engine_that_backtracks() -> None:
    """They run on RE2, which takes linear time. What Python's own engine gets stands in the source."""
    used = [(name, call) for name, call in calls() if is_of_re(call.func)]
    assert len(used) > 20
    assert {name for name, call in used if not is_written_here(call.args[0])} == PUT_TOGETHER.keys()


def is_of_re(func: ast.expr) -> bool:
    return (
        isinstance(func, ast.Attribute)
        and isinstance(func.value, ast.Name)
        and func.value.id == "re"
        and func.attr != "escape"
    )


def is_written_here(pattern: ast.expr) -> bool:
    """A text, a constant, or an f-string of constants."""
    if isinstance(pattern, ast.JoinedStr):
        return all(is_written_here(one) for one in pattern.values)
    if isinstance(pattern, ast.FormattedValue):
        return is_written_here(pattern.value)
    if isinstance(pattern, ast.BinOp):
        return is_written_here(pattern.left) and is_written_here(pattern.right)
    return isinstance(pattern, ast.Constant) or (isinstance(pattern, ast.Name) and pattern.id.isupper())


LEAVES = {"goto", "reload", "go_back", "go_forward"}


def test_no_test_leaves_a_page_before_the_answer_of_what_it_pressed_is_there() -> None:
    """The browser would drop the request, or wait for the page that is not wanted any more: now and then."""
    paths = [path for place in ("browser", "journeys") for path in sorted((ROOT / "tests" / place).glob("*.py"))]
    bodies = [
        (path.name, statements)
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(statements := getattr(node, "body", None), list)
    ]
    pairs = [(name, *two) for name, statements in bodies for two in itertools.pairwise(statements)]
    assert len(pairs) > 500
    assert [f"{name}:{second.lineno}" for name, first, second in pairs if presses(first) and leaves(second)] == []


def presses(statement: ast.stmt) -> bool:
    return called(statement) == "click"


def leaves(statement: ast.stmt) -> bool:
    return called(statement) in LEAVES


def called(statement: ast.stmt) -> str:
    is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    return end_of(statement.value.func) if is_call else ""


@pytest.mark.django_db
def test_no_request_goes_out_in_a_transaction(no_request_in_a_transaction: list[str]) -> None:
    """That none does is looked at in every test (tests/world/outside.py); this one shows that it would be seen."""
    with transaction.atomic():
        assert is_in_transaction()
        with pytest.raises(AssertionError, match="in a transaction"):
            requests.get("http://127.0.0.1:9/", timeout=1)
    assert not is_in_transaction()
    assert no_request_in_a_transaction.pop() == "GET 127.0.0.1/"
