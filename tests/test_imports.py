"""The import rules of the house: which room may know which."""

import ast
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Ground to roof: a file may import what stands above it and what is in its own package, never a stranger on its line.
ORDER = [
    ("expressions", "graph", "scim", "db"),
    ("rules",),
    ("models", "keyring", "context"),
    ("audit", "problems", "queue", "retention"),
    ("runs",),
    ("connection",),
    ("directory",),
    ("configuration",),
    ("standings", "health"),
    ("engine",),
    ("approvals", "preview", "drift", "readiness", "on_demand", "people", "notifications"),
    ("tenants", "rehearsal"),
    ("change_requests",),
    ("worker",),
    ("tasks", "management", "apps"),
]
# Inside the engine: the stages of a run.
STAGES = [(name,) for name in ("work", "guard", "reading", "scope", "evaluation", "export", "rehearsal", "cycle")]
# portal: what a page stands on, the pages, and what puts them together.
PORTAL = [
    ("deployment", "models"),
    ("access",),
    ("words",),
    ("frame",),
    ("pages",),
    ("api",),
    ("templatetags",),
    ("celery", "settings", "tasks", "urls", "wsgi", "management"),
    ("apps",),
]
PAGES = [tuple(sorted(path.parent.name for path in (ROOT / "portal/pages").glob("*/__init__.py")))]
ORDERS = [("sync", ORDER), ("sync.engine", STAGES), ("portal", PORTAL), ("portal.pages", PAGES)]
# Packages of sync that nothing outside it opens, and those that are entered by their doors alone.
INSIDE = ("engine", "worker", "db", "graph")
FEATURES = (
    "standings",
    "approvals",
    "preview",
    "drift",
    "readiness",
    "on_demand",
    "people",
    "notifications",
    "tenants",
    "rehearsal",
    "health",
    "change_requests",
    "retention",
)
DOORS = ("services", "queries")
# What commands and tasks open all the same, and why; pages nothing.
PAST_DOORS = {
    "sync.worker": "a command carries a run out by itself, and tasks are what a worker does",
    "sync.notifications.deliveries": "a task delivers: no page asks for it",
    "sync.tenants.deletion": "what a worker does",
    "sync.tenants.file": "reading the file makes use of the doors: they cannot offer it",
    "sync.graph.ids": "what is a GUID",
}
# Folder or file -> what nothing in it may import besides.
FORBIDDEN = {
    "sync": ("portal", "lab"),
    "portal": ("lab",),
    "lab": ("sync", "portal", "django"),
    "sync/graph": ("django",),
    "sync/scim": ("django",),
    "sync/expressions": ("django",),
    "sync/rules": ("django",),
    "sync/configuration/files/json_text.py": ("django", "sync.models"),
    "sync/configuration/files/ms_schema": ("django", "sync.models", "sync.graph", "sync.scim"),
    "sync/engine/export/sending.py": ("django", "sync.models"),
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("place", FORBIDDEN)
def test_a_room_knows_only_the_rooms_it_may_know(place: str) -> None:
    files = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
    assert files
    broken = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in imported(path)
        if any(name == banned or name.startswith(f"{banned}.") for banned in FORBIDDEN[place])
    ]
    assert broken == []


@pytest.mark.parametrize(("package", "order"), ORDERS)
def test_a_file_imports_only_what_stands_above_it(package: str, order: list[tuple[str, ...]]) -> None:
    floor = {name: number for number, names in enumerate(order) for name in names}
    broken = []
    for path in sorted((ROOT / package.replace(".", "/")).rglob("*.py")):
        own = path.relative_to(ROOT / package.replace(".", "/")).with_suffix("").parts[0]
        used = {
            name.removeprefix(f"{package}.").split(".")[0] for name in imported(path) if name.startswith(f"{package}.")
        }
        if own not in ("__init__", "migrations"):
            broken += [f"{path.relative_to(ROOT)}: {name}" for name in used - {own} if floor[name] >= floor[own]]
    assert broken == []


@pytest.mark.parametrize(
    ("place", "allowed"), [("portal", set()), ("sync/management", PAST_DOORS), ("sync/tasks.py", PAST_DOORS)]
)
def test_features_are_entered_by_their_doors(place: str, allowed: Collection[str]) -> None:
    paths = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
    broken = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in paths
        for name in imported(path)
        if name.startswith("sync.") and goes_past_a_door(*name.split(".")[1:3])
        if not any(f"{name}.".startswith(f"{one}.") for one in allowed)
    ]
    assert broken == []


def goes_past_a_door(package: str, module: str = "") -> bool:
    return package in INSIDE or (package in FEATURES and module not in DOORS)


@pytest.mark.parametrize(
    ("place", "most"), [("sync", 5), ("portal", 8), *((f"portal/pages/{page}", 8) for page in PAGES[0])]
)
def test_a_package_has_few_modules_of_its_own(place: str, most: int) -> None:
    modules = {path.stem for path in (ROOT / place).glob("*.py")} - {"__init__"}
    assert len(modules) <= most


def test_only_the_tests_of_the_lab_import_it() -> None:
    others = [path for path in (ROOT / "tests").rglob("*.py") if "lab" not in path.parts]
    assert [path for path in others if any(name.split(".")[0] == "lab" for name in imported(path))] == []


def arrows(place: str) -> dict[str, set[str]]:
    """Module -> the modules of `place` that it imports, inside functions too."""
    paths = {path.relative_to(ROOT).with_suffix(""): path for path in (ROOT / place).rglob("*.py")}
    modules = {".".join(name.parts).removesuffix(".__init__"): path for name, path in paths.items()}
    found: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = {name if name in modules else name.rpartition(".")[0] for name in imported(path)}
        found[module] = (names & set(modules)) - {module}
    return found


@pytest.mark.parametrize("place", ["lab", "portal", "sync"])
def test_there_is_no_circle_of_files_or_packages(place: str) -> None:
    """`__main__` may know all of its package, and nothing knows it."""
    files = arrows(place)
    assert len(files) > 10
    TopologicalSorter(files).prepare()
    files.pop(f"{place}.__main__", None)
    packages: dict[str, set[str]] = {}
    for module, targets in files.items():
        package = package_of(module)
        packages.setdefault(package, set()).update({package_of(target) for target in targets} - {package})
    TopologicalSorter(packages).prepare()


def package_of(module: str) -> str:
    """`sync.engine` for all that is below it; a module that stands by itself is its own."""
    return ".".join(module.split(".")[:2])
