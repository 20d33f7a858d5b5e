"""run.py from outside: a project of three small files, its real virtual environment, no network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world.examples import nightly
from tests.world.programs import ROOT

pytestmark = pytest.mark.process

PROBE = """
import json, os, sys
print(json.dumps({"arguments": sys.argv[1:], "python": sys.prefix, "folder": os.getcwd(), "names": sorted(os.environ)}))
sys.exit(7 if "fail" in sys.argv else 0)
"""
NO_SUCH_PACKAGE = "no-such-package==1 --hash=sha256:" + "0" * 64


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return new_project(tmp_path / "a project")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was started once."""
    folder = new_project(tmp_path_factory.mktemp("run") / "a project")
    assert "Installing" in run(folder, "check").stderr
    return folder


def new_project(folder: Path) -> Path:
    shutil.copytree(ROOT / "requirements" / "bootstrap", folder / "requirements" / "bootstrap")
    for name in ("base", "embedded", "dev"):
        (folder / "requirements" / f"{name}.txt").write_text("# nothing\n")
    (folder / "tools").mkdir()
    shutil.copy(ROOT / "run.py", folder)
    for probe in ("manage.py", "tools/run_tests.py", "tools/simulate.py"):
        (folder / probe).write_text(PROBE)
    return folder


def run(project: Path, *arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """By the interpreter under the virtual environment of these tests, as a user would."""
    python = os.path.realpath(sys.executable)
    caller = os.environ | {"PIP_NO_INDEX": "1"} | environment
    done = subprocess.run(
        [python, str(project / "run.py"), *arguments], env=caller, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def probe_of(done: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_command_gets_its_arguments_and_gives_its_exit_code(installed: Path) -> None:
    done = run(installed, "tenant_import", "../my file.json", "fail", code=7)
    assert probe_of(done)["arguments"] == ["tenant_import", "../my file.json", "fail"]
    assert probe_of(done)["python"] == str(installed / ".venv")


def test_stories_are_played_without_the_development_packages(installed: Path) -> None:
    done = run(installed, "simulate", "--seeds", "3")
    assert probe_of(done)["arguments"] == ["--seeds", "3"]
    assert "Installing" not in done.stderr


def test_paths_mean_what_they_mean_to_the_caller(installed: Path) -> None:
    assert probe_of(run(installed, "check"))["folder"] == str(Path.cwd())


def test_the_second_start_installs_nothing(installed: Path) -> None:
    assert "Installing" not in run(installed, "check").stderr


@pytest.mark.nightly
def test_a_changed_lock_is_installed(project: Path) -> None:
    run(project, "check")
    (project / "requirements" / "embedded.txt").write_text("# another\n")
    assert "Installing" in run(project, "check").stderr


@pytest.mark.nightly
def test_the_environment_may_lie_elsewhere(project: Path, tmp_path: Path) -> None:
    """As for a checkout that may not be written to."""
    there = tmp_path / "there"
    project.chmod(0o555)
    assert probe_of(run(project, "check", LOCKSTEP_VENV=str(there)))["python"] == str(there)
    assert not (project / ".venv").exists()


def test_tests_need_the_development_packages(project: Path) -> None:
    assert "(dev)" in run(project, "test", "tests/x", "-k", "y").stderr
    assert probe_of(run(project, "test", "tests/x", "-k", "y"))["arguments"] == ["tests/x", "-k", "y"]
    assert "Installing" not in run(project, "up").stderr


@pytest.mark.nightly
def test_another_python_gets_an_environment_of_its_own_and_the_locked_packages_but_one(project: Path) -> None:
    shutil.copy(ROOT / "tools" / "other_versions.py", project / "tools")
    python = os.path.realpath(sys.executable)
    done = run(project, "test", "--with", python, "-k", "y")
    assert probe_of(done)["arguments"] == ["-k", "y"]
    assert probe_of(done)["python"] == str(project / f".venv-{Path(python).name}-locked")
    assert not (project / ".venv").exists()
    (project / "requirements" / "dev.txt").write_text("django==5.2.19 \\\n    --hash=sha256:0\nattrs==26.1.0 \\\n")
    failed = run(project, "test", "--with", python, "--django", "6.1", code=1)
    asked = project / f".venv-{Path(python).name}-6.1" / "asked.txt"
    assert asked.read_text().splitlines() == ["django==6.1.*", "attrs==26.1.0"]
    assert "django==6.1.*" in failed.stderr


@pytest.mark.nightly
def test_settings_of_the_caller_do_no_harm(project: Path, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    harmful = {"PYTHONPATH": elsewhere, "PYTHONWARNINGS": "error", "PIP_TARGET": elsewhere, "PIP_USER": "1"}
    done = run(project, "check", **harmful, PIP_PREFIX=elsewhere, DJANGO_SETTINGS_MODULE="other.settings")
    assert not {*harmful, "PIP_PREFIX", "DJANGO_SETTINGS_MODULE"} & set(probe_of(done)["names"])
    assert not Path(elsewhere).exists()


@pytest.mark.nightly
def test_without_a_broker_for_this_machine_it_says_so_and_goes_on(project: Path) -> None:
    (project / "requirements" / "embedded.txt").write_text(NO_SUCH_PACKAGE)
    done = run(project, "check")
    assert "the file system carries the messages instead" in done.stderr
    assert "Installing" not in run(project, "check").stderr


def test_packages_that_cannot_be_installed_end_it(project: Path) -> None:
    (project / "requirements" / "base.txt").write_text(NO_SUCH_PACKAGE)
    done = run(project, "check", code=1)
    assert "could not be installed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("line", [*nightly("pip==26.0"), "pip==26.0 --hash=sha256:" + "0" * 64])
def test_a_package_is_refused_unless_its_hash_is_the_locked_one(project: Path, line: str) -> None:
    (project / "requirements" / "base.txt").write_text(line)
    # As an address: pip splits the variable at blanks.
    packages = (project / "requirements" / "bootstrap").as_uri()
    assert "hash" in run(project, "check", code=1, PIP_FIND_LINKS=packages).stderr.lower()
    assert not list((project / ".venv").glob("lib/*/site-packages/pip"))


def test_a_changed_bootstrap_wheel_is_refused(project: Path) -> None:
    wheel = next((project / "requirements" / "bootstrap").glob("pip-*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"x")
    done = run(project, "check", code=1)
    assert "not the file that this release came with" in done.stderr


@pytest.mark.nightly
def test_the_environment_of_another_python_is_made_anew(project: Path) -> None:
    run(project, "check")
    (project / ".venv" / "bin" / "python").unlink()
    (project / ".venv" / "bin" / "python").symlink_to("/bin/false")
    (project / ".venv" / "stamp-embedded").unlink()
    assert "Making a virtual environment" in run(project, "check").stderr


def test_it_explains_itself(project: Path) -> None:
    assert "run.py up" in run(project, code=1).stderr


def test_the_locks_name_hashes_and_no_host() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text
        assert "--index-url" not in text
        assert text.count("--hash=sha256:") >= text.count("==")
