"""Which lab a test gets: one for each company that tests ask for, which each module finds as it was at its start.

`@pytest.mark.company(500)` says how many people it needs, from 51 on with everybody odd among them; further words are the
lab's own options: `company(36, groups=6)`.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sync.graph import client as graph
from sync.runs import lease
from sync.scim import breaker, writing
from sync.scim import client as scim
from tests.world.lab import Lab

# Tests hire whom they are about: each first run reads everybody.
FEW = {"people": 6, "groups": 1, "memberships": 2}
Labs = Callable[[tuple[str, ...]], Lab]


def options_of(node: pytest.Item | pytest.Collector) -> tuple[str, ...]:
    """The lab's command line; without AWS's quota, since pacing has tests of its own."""
    marker = node.get_closest_marker("company")
    company = {"people": marker.args[0]} if marker and marker.args else FEW
    options = {**company, "aws_tps": 0, **(marker.kwargs if marker else {})}
    words = [
        (f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])) for name, value in options.items()
    ]
    return tuple(word for pair in words for word in pair)


def commits(item: pytest.Item) -> bool:
    """Whether other connections see what the test writes."""
    marker = item.get_closest_marker("django_db")
    committing = {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(committing) or bool(marker and marker.kwargs.get("transaction"))


@pytest.fixture(scope="session")
def running_labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    """By their options, each started when it is first asked for."""
    with ExitStack() as running:
        yield functools.cache(lambda options: running.enter_context(Lab(tmp_path_factory.mktemp("lab"), *options)))


@pytest.fixture(scope="module")
def labs(running_labs: Labs) -> Labs:
    """Whatever tests of another module left is gone."""

    @functools.cache
    def begun(options: tuple[str, ...]) -> Lab:
        found = running_labs(options)
        found.reset()
        found.begin_anew()
        return found

    return begun


@pytest.fixture(scope="module")
def lab_process(labs: Labs, request: pytest.FixtureRequest) -> Lab:
    """For fixtures that last as long as the module."""
    return labs(options_of(request.node))


@pytest.fixture
def lab(labs: Labs, request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """As at its start but for the company; the product may speak to it, fast and with short waits between tries."""
    found = labs(options_of(request.node))
    found.reset()
    settings.EXTRA_CLOUDS = found.clouds
    settings.EXTRA_SCIM_HOSTS = found.scim_hosts
    settings.SCIM_RATE = 1000
    hurry(monkeypatch)
    if not commits(request.node):
        # The lease's own connection would not see the rows, and call the lease lost.
        monkeypatch.setattr(lease, "LOOK_SECONDS", settings.LEASE_SECONDS)
    yield found
    # A request that a fault holds back ends with its test.
    found.call("DELETE", "faults")


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(graph, "LONGEST_WAIT", 0.02)
    monkeypatch.setattr(scim, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(breaker, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(writing, "SECOND_LOOK_SECONDS", 0.05)
