"""An installation without its keys: nothing starts, and nothing stands in for them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.world.examples import nightly
from tests.world.programs import ROOT, clean_environment

pytestmark = [pytest.mark.process, pytest.mark.pure]
SEAL = "id:" + "A" * 43 + "="
SERVERS = (
    ("-m", "gunicorn", "portal.wsgi", "--bind", "127.0.0.1:0", "--control-socket", "STATE/ctl"),
    ("-m", "celery", "-A", "portal", "worker", "--concurrency", "1"),
    ("-m", "celery", "-A", "portal", "beat", "--schedule", "STATE/beat"),
)
COMMANDS = (
    ("manage.py", "check"),
    ("manage.py", "migrate"),
    ("manage.py", "user_add", "jo@acme.example", "--role", "owner"),
)
OTHER_COMMANDS = nightly(*((one,) for one in COMMANDS[1:]))


def started(state: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(STATE_DIR=str(state), BROKER_URL="memory://", PUBLIC_URL="https://x.example")
    return subprocess.run(
        [sys.executable, *(word.replace("STATE", str(state)) for word in arguments)],
        cwd=ROOT,
        env=environment | variables,
        text=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", [*SERVERS, COMMANDS[0], *OTHER_COMMANDS], ids=lambda words: " ".join(words[:3]))
@pytest.mark.parametrize("missing", ["SECRET_KEY", *nightly("SEAL_KEYS")])
def test_nothing_starts_without_a_key_and_the_words_say_how_to_make_it(
    tmp_path: Path, arguments: tuple[str, ...], missing: str
) -> None:
    keys = {"SECRET_KEY": "k" * 60, "SEAL_KEYS": SEAL}
    ended = started(tmp_path, *arguments, **{name: key for name, key in keys.items() if name != missing})
    assert ended.returncode != 0
    assert f"Set {missing} or {missing}_FILE" in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "arguments", [SERVERS[0], *nightly(*((one,) for one in SERVERS[1:]))], ids=lambda words: " ".join(words[:3])
)
def test_nothing_serves_a_network_without_tls_unless_it_is_said(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    keys = {"SECRET_KEY": "k" * 60, "SEAL_KEYS": SEAL}
    ended = started(tmp_path, *arguments, **keys, PUBLIC_URL="http://lockstep.example")
    assert ended.returncode != 0
    assert "in clear text" in ended.stdout + ended.stderr


def test_what_is_said_to_be_insecure_may_be(tmp_path: Path) -> None:
    keys = {"SECRET_KEY": "k" * 60, "SEAL_KEYS": SEAL}
    settings = {"PUBLIC_URL": "http://lockstep.example", "INSECURE": "1"}
    assert started(tmp_path, "manage.py", "check", **keys, **settings).returncode == 0


def test_a_key_file_that_cannot_be_read_is_no_missing_key(tmp_path: Path) -> None:
    ended = started(tmp_path, "manage.py", "check", SECRET_KEY_FILE=str(tmp_path / "nosuch"), SEAL_KEYS=SEAL)
    assert ended.returncode != 0
    assert "SECRET_KEY_FILE is" in ended.stderr


def test_a_line_of_the_ring_is_never_shown(tmp_path: Path) -> None:
    ended = started(tmp_path, "manage.py", "check", SECRET_KEY="k" * 60, SEAL_KEYS="justthekeyitself")
    assert ended.returncode != 0
    assert "justthekeyitself" not in ended.stdout + ended.stderr


def test_the_static_files_of_an_image_are_built_without_keys(tmp_path: Path) -> None:
    assert started(tmp_path, "manage.py", "collectstatic", "--noinput", "--dry-run", "-v", "0").returncode == 0
