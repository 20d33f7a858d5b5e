"""Which tests a pass takes, and in which order.

`--each-once`: each test on the database where it matters, and on both where the two differ (the marker `both`). What one
of them alone has (the marker `only`) is tested there, whatever else is asked for: no test is skipped for want of the other.
What `nightly` marks is passed with that profile of Hypothesis alone (`run.py test --everywhere`).
`--database-only`: everything that touches the database, whatever it is there for.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.world.chromium import CHROMIUM, FLAGS, STILL

TESTS = Path(__file__).parent.parent
# What touches the database here belongs on PostgreSQL, as in production; everything else on SQLite, which `up` brings.
PRODUCTION = ("chaos", "simulation", "sync")
# Whole runs against the lab, which take a third of the time on SQLite, and rooms whose questions are Django's alone, which
# take half. The random stories, the disturbances and what is marked `both` take each stage through PostgreSQL.
BUT = (
    *("sync/configuration", "sync/connection", "sync/directory", "sync/drift", "sync/engine", "sync/management"),
    *("sync/notifications", "sync/on_demand", "sync/readiness"),
)
DATABASE_FIXTURES = {"db", "transactional_db"}
OF_BOTH = re.compile(r"mark\.(both|only)\b")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--each-once", action="store_true", help="only tests that belong on this database")
    parser.addoption("--database-only", action="store_true", help="only tests that touch the database")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """On PostgreSQL, what has no test for it: to read all files takes each worker ten seconds."""
    if not config.getoption("--each-once") or connection.vendor != "postgresql":
        return None
    elsewhere = collection_path.match("test_*.py") and home_of(collection_path) == "sqlite"
    return True if elsewhere and not OF_BOTH.search(collection_path.read_text()) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=f"no browser at {CHROMIUM}; set CHROMIUM"))
    if os.environ.get("CI"):
        try_browsers_twice(items)
    kept = [item for item in items if is_taken(item, config)]
    taken = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in taken])
    # Processes mostly wait, and their files take long: first, so that no worker is left with one at the end.
    items[:] = sorted(kept, key=lambda item: item.get_closest_marker("process") is None)


def try_browsers_twice(items: list[pytest.Item]) -> None:
    """Chromium, a server and a worker share two processors there: what passes the second time alone is told by name, as
    Playwright does (playwright.dev/docs/test-retries), and is to be mended like a failure."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def is_taken(item: pytest.Item, config: pytest.Config) -> bool:
    if item.get_closest_marker("nightly") and config.getoption("hypothesis_profile") != "nightly":
        return False
    only = item.get_closest_marker("only")
    if only:
        return connection.vendor in only.args
    if config.getoption("--database-only"):
        return touches_database(item) and not item.get_closest_marker("browser")
    return not config.getoption("--each-once") or connection.vendor in databases_of(item)


def databases_of(item: pytest.Item) -> set[str]:
    if not touches_database(item):
        return {"sqlite"}
    if item.get_closest_marker("both"):
        return {"sqlite", "postgresql"}
    return {home_of(item.path)}


def home_of(file: Path) -> str:
    """The database of its tests."""
    path = file.relative_to(TESTS).as_posix()
    return "postgresql" if path.startswith(PRODUCTION) and not path.startswith(BUT) else "sqlite"


def touches_database(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    return bool(names & DATABASE_FIXTURES) or item.get_closest_marker("django_db") is not None


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": CHROMIUM, "args": [*FLAGS]}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, **STILL}
