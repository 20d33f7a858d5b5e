"""The lock on the state folder of `up`, where an earlier one was killed (its normal life: tests/house/test_up.py)."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from portal.deployment import embedded

pytestmark = pytest.mark.pure
# No process has it: above the kernel's highest number (proc(5), pid_max).
NOBODY = 2**22 + 1


@pytest.fixture
def held(tmp_path: Path) -> Iterator[int]:
    """What a worker of the killed one still holds."""
    descriptor = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def test_workers_of_a_killed_start_are_waited_for_as_long_as_they_work(
    held: int, own: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    naps = iter(range(3))
    monkeypatch.setattr(embedded.time, "sleep", lambda _s: None if next(naps) < 2 else fcntl.flock(held, fcntl.LOCK_UN))
    embedded.take_lock(own, tmp_path, NOBODY)
    assert embedded.WORKER_GRACE <= embedded.LOCK_SECONDS
    assert capsys.readouterr().out.count("an earlier start was killed; waits until its workers have finished") == 1


@pytest.mark.usefixtures("held")
def test_workers_that_do_not_end_are_named_and_not_taken_for_a_running_up(
    own: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOCK_SECONDS", 0)
    with pytest.raises(CommandError, match="Workers of an earlier start still finish what they are at"):
        embedded.take_lock(own, tmp_path, NOBODY)


@pytest.mark.usefixtures("held")
def test_a_running_up_is_not_waited_for(own: int, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"runs in .* already"):
        embedded.take_lock(own, tmp_path, os.getpid())
