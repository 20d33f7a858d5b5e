"""Random stories keep the laws, and a seed tells the same one every time. `run.py simulate` plays more of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.world.examples import share

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.process


def test_random_stories_break_no_law() -> None:
    """Three of them; thirty by night."""
    played = simulate("--seeds", str(share(0.06)), "--steps", "3")
    assert played.returncode == 0, played.stdout + played.stderr


@pytest.mark.nightly
def test_a_seed_gives_the_same_ledger_twice() -> None:
    one, other = (simulate("--seeds", "1", "--seed", "7", "--steps", "6", "--ledger") for _ in range(2))
    assert "run 1 " in one.stdout
    assert one.stdout == other.stdout


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools" / "simulate.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
