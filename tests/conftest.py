"""What every test has: the fixtures of `tests/world`, and an empty cache."""

import pytest
from django.core.cache import cache

PLUGINS = (
    *("audited", "broker", "collector", "database", "drafted", "examples", "labs", "outside"),
    *("people", "prepared", "runs", "second_person", "selection", "stack", "tenant"),
    # After those that it imports from.
    *("every_standing", "kept", "receivers"),
)
pytest_plugins = [f"tests.world.{name}" for name in PLUGINS]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Counters of missed sign-ins and remembered look-ups end with their test."""
    cache.clear()
