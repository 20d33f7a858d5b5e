"""The import rules of the house: which room may know which."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Folder or file -> what nothing in it may import.
FORBIDDEN = {
    "sync": ("portal", "lab"),
    "portal": ("lab",),
    "lab": ("sync", "portal", "django"),
    "sync/graph": ("django", "sync.scim", "sync.expressions", "sync.models"),
    "sync/scim": ("django", "sync.graph", "sync.expressions", "sync.models"),
    "sync/expressions": ("django", "sync.graph", "sync.scim", "sync.models"),
    "sync/rules/scope.py": ("django", "sync.models"),
    "sync/rules/filters.py": ("django", "sync.models"),
    "sync/configuration/files/json_text.py": ("django", "sync.models"),
    "sync/rules/wanted.py": ("django", "sync.models"),
    "sync/configuration/files/ms_schema": ("django", "sync.models", "sync.graph", "sync.scim"),
    "sync/rules/mapping.py": ("django", "sync.models"),
    "sync/rules/acceptance.py": ("django", "sync.models", "sync.problems.catalogue"),
    "sync/rules/matching.py": ("django", "sync.models"),
    "sync/rules/changes.py": ("django", "sync.models"),
    "sync/engine/export/sending.py": ("django", "sync.models"),
}

# portal from the ground up: a file may import what stands in a line above its own, and its own package.
# Those of one line are strangers to each other, and so are the packages in portal/pages/.
ORDER = (
    ("portal.deployment", "portal.models"),
    ("portal.access",),
    ("portal.words",),
    ("portal.frame",),
    ("portal.templatetags", "portal.pages"),
    ("portal.celery", "portal.settings", "portal.urls", "portal.wsgi", "portal.management"),
    ("portal.apps",),
)


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


def package_of(module: str) -> str:
    """A module that ORDER names, such as portal.models, stands for itself."""
    return module if any(module in line for line in ORDER) else module.rpartition(".")[0]


def layer_of(module: str) -> tuple[int, str]:
    """The line of ORDER, and the package in it."""
    lines = [n for n, line in enumerate(ORDER) if any(f"{module}.".startswith(f"{name}.") for name in line)]
    assert lines, f"{module} stands nowhere in ORDER"
    return lines[0], ".".join(module.split(".")[: 3 if module.startswith("portal.pages.") else 2])


def test_portal_has_few_modules_beside_its_packages() -> None:
    assert len(list((ROOT / "portal").glob("*.py"))) <= 8


def test_portal_is_built_from_the_ground_up() -> None:
    files = {
        module: targets for module, targets in arrows("portal").items() if module not in ("portal", "portal.pages")
    }
    broken = [
        f"{module}: {target}"
        for module, targets in files.items()
        for target in targets - {"portal"}
        if layer_of(module)[1] != layer_of(target)[1] and layer_of(module)[0] <= layer_of(target)[0]
    ]
    assert broken == []


@pytest.mark.parametrize("place", ["lab", "portal"])
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
