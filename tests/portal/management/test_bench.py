"""bench: it explains itself, and names no benchmark that is not there."""

import io

import pytest

from portal.management.commands.bench import BENCHMARKS, Command
from tests.world.programs import ROOT

pytestmark = pytest.mark.pure


def test_help_names_every_benchmark() -> None:
    out = io.StringIO()
    Command(stdout=out).run_from_argv(["manage.py", "bench", "--help"])
    assert [name for name in BENCHMARKS if name not in out.getvalue()] == []
    assert [name for name in BENCHMARKS if not (ROOT / "bench" / f"{name}.py").exists()] == []


def test_another_word_is_a_wrong_call() -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        Command(stderr=err).run_from_argv(["manage.py", "bench", "nothing"])
    assert (ended.value.code, "Name a benchmark: sync" in err.getvalue()) == (2, True)
