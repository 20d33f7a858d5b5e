"""How people and groups stand is read in one place, sync/standings/queries.py: no page, command or mail counts by itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.pure

ROOT = Path(__file__).parent.parent.parent
PLACES = ("portal", "sync/management", "sync/notifications")
# What a run did, and what was written; by model, and as the attribute that leads there from a tenant, run or link.
MODELS = {"Operation", "Link", "MembershipLink"}
ATTRIBUTES = {"operations", "links", "membership_links", "member_links", "standings"}
# What a person's or group's scope says of itself.
FIELDS = ("in_scope", "scope_reason")
# Files that may, and why.
LISTS = {
    "portal/api/application.py": "operations of the API itself",
    "portal/api/runs.py": "lists what was done",
    "portal/frame/run_pill.py": "how far the run in progress is",
    "portal/pages/assignments/group.py": "the newest request about a group's members",
    "portal/pages/draft": "what a preview would do",
    "portal/pages/help/translation.py": "past requests like a pasted error, and the people whom it names",
    "portal/pages/logs": "lists what was done",
    "portal/pages/people/links.py": "cuts and makes the link of one person",
    "portal/pages/people/raw.py": "everything that is stored of one person",
    "portal/pages/people/what_if.py": "what a preview would do to one person",
    "portal/pages/runs": "what one run did",
    "portal/templatetags": "draws one operation",
    "portal/words/plan.py": "what one run would do",
    "sync/management/commands/draft.py": "what a preview would do",
}


def uses(source: str) -> Iterator[str]:
    """What a source reads besides standings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sync.models"):
            yield from (alias.name for alias in node.names if alias.name in MODELS)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            if node.attr == "objects" and isinstance(node.value, ast.Name) and node.value.id == "Standing":
                yield "Standing.objects"
            elif node.attr in ATTRIBUTES and not _of_a_module(node):
                yield node.attr
        elif isinstance(node, ast.keyword) and (node.arg or "").startswith(FIELDS):
            yield str(node.arg)


def _of_a_module(node: ast.Attribute) -> bool:
    """`standings.standings(…)`: the reader itself."""
    return isinstance(node.value, ast.Name) and node.value.id in ("standings", "queries")


def excused(path: str) -> list[str]:
    return [one for one in LISTS if path == one or path.startswith(f"{one}/")]


def sources() -> Iterator[tuple[str, str]]:
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text()


def test_nothing_that_is_shown_counts_how_things_stand_by_itself() -> None:
    broken = [f"{path}: {name}" for path, source in sources() if not excused(path) for name in sorted({*uses(source)})]
    assert broken == []


def test_no_exception_is_left_over() -> None:
    needed = {one for path, source in sources() for one in excused(path) if {*uses(source)}}
    assert LISTS.keys() - needed == set()


@pytest.mark.parametrize(
    "line",
    [
        "from sync.models import Link, Tenant",
        "from sync.models.run import Operation",
        "n = Standing.objects.filter(tenant=tenant).count()",
        "n = tenant.standings.count()",
        "n = tenant.links.exclude(failure_code='').count()",
        "n = run.operations.filter(result='failed').count()",
        "n = DirectoryUser.objects.filter(tenant=tenant, in_scope=True).count()",
        "n = DirectoryUser.objects.exclude(scope_reason__in=OUT).count()",
    ],
)
def test_a_page_that_does_is_found(line: str) -> None:
    assert [*uses(line)] != []


def test_the_reader_of_standings_may_be_asked() -> None:
    assert [*uses("n = standings.standings(tenant, kind).count()")] == []


def test_nothing_says_that_both_sides_are_the_same() -> None:
    """Pages say when AWS was compared, and how many are up to date: what happened since, nobody knows."""
    claims = re.compile(r"\b(?:is|are|all|everybody|people) in (?:sync|step)\b", re.IGNORECASE)
    texts = [*sorted((ROOT / "templates").rglob("*.html")), *(ROOT / path for path, _source in sources())]
    assert [path.name for path in texts if claims.search(path.read_text())] == []
