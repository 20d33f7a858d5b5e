"""What every test has: the fixtures of `tests/world`, and an empty cache."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

pytest_plugins = [f"tests.world.{name}" for name in ("database", "labs", "people", "prepared", "tenant")]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Counters of missed sign-ins and remembered look-ups end with their test."""
    cache.clear()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only", action="store_true", help="only tests that touch the database, without a browser"
    )


CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    return {"executable_path": CHROMIUM, "args": [*flags, "--disable-component-update", "--disable-sync"]}


DATABASE_FIXTURES = {"db", "transactional_db"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The second pass, on the other database: pure tests and the browser have had their turn."""
    if not Path(CHROMIUM).exists() and not os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=f"no browser at {CHROMIUM}; set CHROMIUM"))
    if not config.getoption("--database-only"):
        return
    kept = [item for item in items if touches_database(item) and not item.get_closest_marker("browser")]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def touches_database(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    return bool(names & DATABASE_FIXTURES) or item.get_closest_marker("django_db") is not None
