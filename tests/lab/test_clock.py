"""A lab whose time is moved from outside, and whose ids follow from a seed: the same story twice is the same to the letter."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.lab.callers import Caller
from tests.simulation.clock import START, Clock
from tests.world.lab import Lab

DAY = 24 * 3600.0


class Timed:
    """A lab, its AWS as a client sees it, and the hand on its clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(folder / "clock")
        self.lab = Lab(folder / "state", "--people", "1", "--groups", "1", "--clock", str(folder / "clock"))
        self.aws = Caller(self.lab.facts["scim_endpoint"], self.lab.facts["ca_file"], {})

    def begin(self, seed: int) -> None:
        self.clock.set(START)
        secrets = self.lab.call("POST", "begin", {"seed": seed})
        self.aws.session.headers["Authorization"] = f"Bearer {secrets['scim_token']}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Timed]:
    found = Timed(tmp_path_factory.mktemp("timed"))
    with found.lab:
        yield found
        found.aws.session.close()


@pytest.fixture
def timed(running: Timed) -> Timed:
    running.begin(1)
    return running


def test_whoever_waits_moves_the_time_on(timed: Timed) -> None:
    timed.lab.call("POST", "faults", {"part": "aws", "kind": "delay", "seconds": 3600})
    began = time.monotonic()
    assert timed.aws.call("GET", "ServiceProviderConfig")[0] == 200
    assert time.monotonic() - began < 60
    assert timed.clock.now() == START + 3600


def test_a_token_ends_when_its_year_is_over(timed: Timed) -> None:
    timed.clock.sleep(364 * DAY)
    assert timed.aws.call("GET", "ServiceProviderConfig")[0] == 200
    timed.clock.sleep(2 * DAY)
    assert timed.aws.call("GET", "ServiceProviderConfig")[0] == 401


def test_what_is_applied_late_is_applied_when_its_time_has_come(timed: Timed) -> None:
    timed.lab.call("POST", "faults", {"part": "aws", "kind": "apply_late", "seconds": 60})
    with pytest.raises(requests.ConnectionError):
        timed.aws.call("POST", "Groups", {"displayName": "Late"})
    assert timed.lab.aws()["groups"] == []
    timed.clock.sleep(61)
    assert [group["displayName"] for group in timed.lab.aws()["groups"]] == ["Late"]


def story(timed: Timed) -> list[Any]:
    person = timed.lab.call("POST", "entra/hire", {"displayName": "Ada Holt"})
    timed.aws.call("POST", "Groups", {"displayName": "Team", "externalId": person["id"]})
    timed.aws.call("GET", "Groups/unknown")
    return [person, timed.lab.requests(), timed.lab.aws()]


def test_the_same_seed_gives_the_same_ids_secrets_and_times(timed: Timed) -> None:
    timed.begin(7)
    first = story(timed)
    timed.begin(7)
    assert story(timed) == first
    timed.begin(8)
    assert story(timed) != first


def test_a_beginning_leaves_nothing_of_what_was(timed: Timed) -> None:
    story(timed)
    timed.lab.call("POST", "faults", {"part": "aws", "kind": "status", "times": -1})
    timed.lab.call("POST", "graph/switches", {"lag": 3})
    timed.begin(2)
    assert timed.lab.call("GET", "entra/state") == {"users": [], "groups": []}
    assert timed.lab.call("GET", "faults") == []
    assert timed.lab.call("GET", "graph/switches")["lag"]["value"] == 0
    assert timed.lab.requests() == []
    assert timed.lab.aws()["users"] == []
