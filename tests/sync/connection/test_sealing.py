"""Secrets at rest: opened only with a key of the ring, and only where they were sealed for."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from sync.connection.sealing import CannotOpen, seal, unseal
from sync.keyring import new_ring_line

CONTEXT = "tenant:1:aws.token"
ROOT = Path(__file__).parents[3]


def test_what_was_sealed_opens_in_its_context() -> None:
    assert unseal(seal("geheim", CONTEXT), CONTEXT) == "geheim"


def test_a_sealed_text_does_not_show_the_secret_and_is_never_the_same_twice() -> None:
    first, second = seal("geheim", CONTEXT), seal("geheim", CONTEXT)
    assert "geheim" not in first
    assert first != second


def test_a_secret_that_was_moved_to_another_place_does_not_open() -> None:
    with pytest.raises(CannotOpen):
        unseal(seal("geheim", CONTEXT), "tenant:2:aws.token")


def test_a_changed_text_does_not_open() -> None:
    sealed = seal("geheim", CONTEXT)
    with pytest.raises(CannotOpen):
        unseal(sealed[:-8] + "AAAA" + sealed[-4:], CONTEXT)


def test_an_old_key_still_opens_while_a_new_one_seals(settings: Any) -> None:
    old, new = new_ring_line(), new_ring_line()
    settings.SEAL_KEYS = old
    sealed = seal("geheim", CONTEXT)
    settings.SEAL_KEYS = f"{new}\n{old}"
    assert unseal(sealed, CONTEXT) == "geheim"
    assert seal("geheim", CONTEXT).split(".")[1] == new.split(":")[0]
    settings.SEAL_KEYS = new
    with pytest.raises(CannotOpen, match="Add the old key"):
        unseal(sealed, CONTEXT)


@pytest.mark.parametrize("ring", ["", "short:QUFB"])
def test_a_ring_that_cannot_work_is_refused_in_words(settings: Any, ring: str) -> None:
    settings.SEAL_KEYS = ring
    with pytest.raises(ImproperlyConfigured, match="SEAL_KEYS"):
        seal("geheim", CONTEXT)


def test_keys_can_be_checked_before_there_are_any_models() -> None:
    """gunicorn imports the checks before Django has loaded the apps."""
    subprocess.run([sys.executable, "-c", "import sync.connection.sealing"], cwd=ROOT, check=True)
