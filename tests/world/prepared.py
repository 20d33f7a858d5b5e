"""State folders for `manage.py up` in which the seconds that every first start takes are spent already."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.deployment.embedded import static_fingerprint
from tests.world.programs import ROOT, clean_environment

STEPS = (("migrate", "--skip-checks"), ("collectstatic", "--noinput"))

NewState = Callable[[Path], Path]


@pytest.fixture(scope="session")
def new_state(tmp_path_factory: pytest.TempPathFactory) -> NewState:
    """Makes a folder at the path: an empty database with its tables, and the static files. One for all workers."""
    base = tmp_path_factory.getbasetemp()
    template = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "prepared-state"
    with template.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            prepare(template)
    return lambda state: Path(shutil.copytree(template, state))


def prepare(template: Path) -> None:
    making = template.with_suffix(".making")
    (making / "run").mkdir(parents=True)
    keys = {"SECRET_KEY": "prepared", "SEAL_KEYS": "prepared:" + "A" * 43 + "="}
    environment = clean_environment(STATE_DIR=str(making), **keys)
    for step in STEPS:
        subprocess.run([sys.executable, "manage.py", *step, "--verbosity", "0"], cwd=ROOT, env=environment, check=True)
    (making / "run" / "static.stamp").write_text(static_fingerprint())
    making.rename(template)
