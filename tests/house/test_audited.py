"""Every write leaves an entry in the audit log: found in the source, from the site map and the services, not from a list.

What the entries say is looked at in every request of every test: tests/world/audited.py.
"""

import ast
import functools
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

from portal.access.pages import access_of

ROOT = Path(__file__).parent.parent.parent
RECORDS = {f"sync.audit.{name}" for name in ("record", "record_all", "entry")}
# Whoever edits the draft within it leaves an entry for each thing that was noted.
RECORDS |= {"sync.configuration.drafts.editing"}
ORM_WRITES = {"save", "delete", "create", "update", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
# Addresses that take a POST and write nothing that outlives the session, and why.
WRITES_NOTHING = {
    "mappings_cast": "whose values a page shows, in the session",
    "scope_counts": "counts, for a page that asks by POST since what is typed is long",
    "account_signup": "is closed",
    "account_reset_password": "is closed",
    "help_translate": "reads an error that somebody pasted",
    "graph_notifications": "notes that Graph said something, for whom nobody acts",
    "session": "notes that the person is still there, in the session",
}


@dataclass
class Function:
    """`arguments`: names of what it takes. `calls`: qualified names. `writes`: it calls the ORM's writers itself."""

    name: str
    arguments: set[str]
    calls: set[str] = field(default_factory=set)
    writes: bool = False


@functools.cache
def functions() -> dict[str, Function]:
    found: dict[str, Function] = {}
    for path in sorted([*(ROOT / "sync").rglob("*.py"), *(ROOT / "portal").rglob("*.py")]):
        if "migrations" not in path.parts:
            for function in functions_in(path):
                found[function.name] = function
    return found


def functions_in(path: Path) -> Iterator[Function]:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    tree = ast.parse(path.read_text())
    names = imported_names(tree)
    own = {name: f"{module}.{name}" for node in tree.body for name in defined(node)}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield read(node, module, names | own, "")
        elif isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            here = f"{module}.{node.name}"
            yield Function(here, set(), {f"{here}.{one.name}" for one in methods})
            yield from (read(one, here, names | own, here) for one in methods)
        else:
            # A table of functions stands for what it names.
            yield from (look(Function(f"{module}.{name}", set()), node, names | own, "") for name in defined(node))


def defined(node: ast.stmt) -> list[str]:
    """What a statement of a module gives a name to."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Name in the module -> what it is, in full."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
    return found


def read(node: ast.FunctionDef, place: str, names: dict[str, str], own_class: str) -> Function:
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return look(Function(f"{place}.{node.name}", {one.arg for one in given}), node, names, own_class)


def look(function: Function, node: ast.AST, names: dict[str, str], own_class: str) -> Function:
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute):
            function.calls.add(dotted(one, names, own_class))
            # A set of ours is updated too: `names.update(...)`.
            function.writes |= one.attr in ORM_WRITES and not (one.attr == "update" and isinstance(one.value, ast.Name))
        elif isinstance(one, ast.Name) and one.id in names:
            function.calls.add(names[one.id])
    return function


def dotted(node: ast.Attribute, names: dict[str, str], own_class: str) -> str:
    """`audit.record` -> sync.audit.record, `self.note` -> the class's own; "" for what hangs on a value."""
    parts = [node.attr]
    value = node.value
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    if not isinstance(value, ast.Name):
        return ""
    base = own_class if value.id == "self" else names.get(value.id, "")
    return ".".join([base, *reversed(parts)]) if base else ""


def reaches(name: str, seen: set[str] | None = None) -> set[str]:
    """All that a function calls, and what that calls."""
    seen = set() if seen is None else seen
    for called in functions()[name].calls if name in functions() else ():
        if called and called not in seen:
            seen.add(called)
            reaches(called, seen)
    return seen


def is_audited(name: str) -> bool:
    return bool(({name} | reaches(name)) & RECORDS)


def is_covered(name: str) -> bool:
    """By itself, or by each of its callers."""
    callers = [one.name for one in functions().values() if name in one.calls and one.name != name]
    return is_audited(name) or (bool(callers) and all(is_covered(caller) for caller in callers))


def addresses(patterns: list[URLPattern | URLResolver]) -> Iterator[tuple[str, str]]:
    """Name of each that takes a POST, and its view in full; django-allauth's own views send signals."""
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns)
        elif (access := access_of(one.callback)) and access.act:
            view = inspect.unwrap(one.callback)
            kind = getattr(view, "view_class", None)
            full = f"{kind.__module__}.{kind.__qualname__}" if kind else f"{view.__module__}.{view.__qualname__}"
            if full.startswith(("portal.", "sync.")):
                yield str(one.name), full


@functools.cache
def acting() -> dict[str, str]:
    """Name of an address that takes a POST -> its view."""
    return dict(addresses(get_resolver().url_patterns))


def test_the_script_finds_what_there_is() -> None:
    assert len(acting()) > 40
    assert set(acting().values()) <= functions().keys()
    assert is_audited("portal.pages.tenants.views.tenant_new")
    assert not is_audited("portal.pages.logs.views.logs")


def test_every_address_that_acts_leaves_an_entry() -> None:
    assert {name for name, view in acting().items() if not is_audited(view)} == WRITES_NOTHING.keys()


# The log itself takes an actor, and does nothing for anybody.
LOG = ("sync.audit.", "sync.context.", "sync.configuration.drafts.Edit.")


def test_whatever_is_done_for_somebody_leaves_an_entry() -> None:
    with_actor = [name for name, one in functions().items() if "actor" in one.arguments and not name.startswith(LOG)]
    assert len(with_actor) > 40
    assert [name for name in with_actor if not is_covered(name)] == []


OUTER = ("portal.pages.", "sync.management.commands.", "portal.management.")


def test_what_a_page_or_a_command_writes_by_itself_leaves_an_entry() -> None:
    writers = [name for name, one in functions().items() if name.startswith(OUTER) and one.writes]
    assert [name for name in writers if not is_audited(name)] == []
