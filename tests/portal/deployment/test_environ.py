"""What the environment may say, and the words that it gets when it says something else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from django.core.exceptions import ImproperlyConfigured

from portal.deployment import environ
from tests.world.programs import ROOT, clean_environment

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    "value",
    [
        "http://proxy:3128",
        "http://proxy.example.test:3128/",
        "http://10.0.0.5:8080",
        "http://[fd00::5]:8080",
        "http://lockstep:p%40ss%2Fw%3Ard@proxy:3128",
        "http://DOM%5Clockstep:pässword@proxy:3128",
    ],
)
def test_a_proxy_is_an_address_with_or_without_a_name_and_password(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OUTBOUND_PROXY", value)
    assert environ.proxy("OUTBOUND_PROXY") == value
    monkeypatch.delenv("OUTBOUND_PROXY")
    (tmp_path / "secret").write_text(f"{value}\n")
    monkeypatch.setenv("OUTBOUND_PROXY_FILE", str(tmp_path / "secret"))
    assert environ.proxy("OUTBOUND_PROXY") == value


@pytest.mark.parametrize(
    "value",
    [
        "proxy:3128",
        "http://proxy",
        "http://proxy:0",
        "http://proxy:65536",
        "http://proxy:３１２８",
        "http://lockstep:s3cr3t@[1:2]:3128",
        "http://lockstep:s3cr3t@proxy:99999",
        "https://proxy:3128",
        "socks5://proxy:1080",
        "http://proxy:3128/path",
        "http://lockstep@proxy:3128",
        "http://lockstep:s3cr3t@@proxy:3128",
        "http://lockstep:s3cr3t/more@proxy:3128",
        "http://lockstep:s3cr3t:more@proxy:3128",
        "http://lockstep:s3cr3t€@proxy:3128",
        "http://lockstep:s3cr3t%E2%82%AC@proxy:3128",
    ],
)
def test_what_is_no_proxy_is_refused_without_being_quoted(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTBOUND_PROXY", value)
    with pytest.raises(ImproperlyConfigured, match="OUTBOUND_PROXY is not the address of a proxy") as caught:
        environ.proxy("OUTBOUND_PROXY")
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__context__ is None


def test_nothing_is_no_proxy_and_no_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTBOUND_PROXY", "")
    monkeypatch.setenv("OUTBOUND_CA_FILE", "")
    assert environ.proxy("OUTBOUND_PROXY") is None
    assert environ.ca_file("OUTBOUND_CA_FILE") is None


def test_an_authority_file_is_read_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    good, empty = tmp_path / "good.pem", tmp_path / "empty.pem"
    trustme.CA().cert_pem.write_to_path(str(good))
    empty.write_text("no certificate\n")
    monkeypatch.setenv("OUTBOUND_CA_FILE", str(good))
    assert environ.ca_file("OUTBOUND_CA_FILE") == str(good)
    for bad in (empty, tmp_path / "none.pem", tmp_path):
        monkeypatch.setenv("OUTBOUND_CA_FILE", str(bad))
        with pytest.raises(ImproperlyConfigured, match="cannot be read as certificate authorities"):
            environ.ca_file("OUTBOUND_CA_FILE")


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OUTBOUND_CA_FILE", "/no/such/file.pem", "OUTBOUND_CA_FILE is '/no/such/file.pem', which cannot be read"),
        ("OUTBOUND_PROXY", "http://a:s3cr3t/x@proxy:3128", "OUTBOUND_PROXY is not the address of a proxy"),
    ],
)
def test_no_process_starts_on_a_wrong_way_out(name: str, value: str, words: str, tmp_path: Path) -> None:
    environment = os.environ | {name: value, "STATE_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    command = [sys.executable, "manage.py", "check"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert words in ended.stderr
    assert "s3cr3t" not in ended.stderr + ended.stdout


OTHER_STATE = """
from pathlib import Path
from django.conf import settings
from portal.deployment.embedded import Address, environment_of
there = environment_of(Path("{other}"), Address.parse("127.0.0.1:8031"), insecure=False)
print(settings.PUBLIC_URL, there["PUBLIC_URL"], there["ALLOWED_HOSTS"], there["BROKER_URL"])
"""


@pytest.mark.process
def test_a_second_up_takes_nothing_from_the_first(tmp_path: Path) -> None:
    first, other = tmp_path / "first", tmp_path / "other"
    (first / "run").mkdir(parents=True)
    other.mkdir()
    running = {"PUBLIC_URL": "http://localhost:18801", "ALLOWED_HOSTS": "first", "BROKER_URL": "redis+socket:///first"}
    environ.remember(first, running)
    environment = clean_environment(STATE_DIR=str(first), SECRET_KEY="k" * 60, SEAL_KEYS=f"test:{'A' * 43}=")
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", OTHER_STATE.format(other=other)]
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert said[0] == running["PUBLIC_URL"]
    assert said[1] == "http://localhost:8031"
    assert "first" not in "".join(said[1:])


@pytest.mark.process
def test_what_a_running_up_left_names_no_other_variable(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    environ.remember(tmp_path, {"PUBLIC_URL": "http://localhost:18801", "LD_PRELOAD": "/tmp/evil.so", "DEBUG": "1"})
    program = (
        "import os; from portal import settings; print(settings.PUBLIC_URL, settings.DEBUG, 'LD_PRELOAD' in os.environ)"
    )
    environment = clean_environment(STATE_DIR=str(tmp_path), SECRET_KEY="k" * 60, SEAL_KEYS=f"test:{'A' * 43}=")
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["http://localhost:18801", "False", "False"]
