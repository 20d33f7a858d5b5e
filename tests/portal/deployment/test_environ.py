"""What the environment may say, and the words that it gets when it says something else."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.core.exceptions import ImproperlyConfigured

from portal.deployment import addresses, embedded, environ
from portal.deployment.processes import Child
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
    assert addresses.proxy("OUTBOUND_PROXY") == value
    monkeypatch.delenv("OUTBOUND_PROXY")
    (tmp_path / "secret").write_text(f"{value}\n")
    monkeypatch.setenv("OUTBOUND_PROXY_FILE", str(tmp_path / "secret"))
    assert addresses.proxy("OUTBOUND_PROXY") == value


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
        addresses.proxy("OUTBOUND_PROXY")
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__context__ is None


def test_nothing_is_no_proxy_and_no_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTBOUND_PROXY", "")
    monkeypatch.setenv("OUTBOUND_CA_FILE", "")
    assert addresses.proxy("OUTBOUND_PROXY") is None
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


READERS: dict[str, Callable[[str], object]] = {
    "flag": environ.flag,
    "number": lambda name: environ.number(name, 5, least=1, most=100),
    "choice": lambda name: environ.choice(name, "INFO", ("DEBUG", "INFO")),
    "allowed_hosts": lambda name: environ.allowed_hosts(name, "localhost"),
    "host": lambda name: environ.host(name, "localhost"),
    "mail_address": lambda name: environ.mail_address(name, "a@b"),
}


@pytest.mark.parametrize(
    ("reader", "value", "words"),
    [
        ("flag", "on", "Set it to 1 or 0"),
        ("number", "abc", "a whole number from 1 to 100"),
        ("number", "0", "a whole number from 1 to 100"),
        ("number", "-1", "a whole number from 1 to 100"),
        ("number", "101", "a whole number from 1 to 100"),
        ("number", "1.5", "a whole number from 1 to 100"),
        ("number", "²", "a whole number from 1 to 100"),
        ("choice", "verbose", "one of: DEBUG, INFO"),
        ("allowed_hosts", "a.example,https://b.example", "without https:// and without a port"),
        ("allowed_hosts", "b.example:443", "without https:// and without a port"),
        ("allowed_hosts", "a.example b.example", "separated by commas"),
        ("host", "smtp.example:587", "its port has a setting"),
        ("host", "smtp://smtp.example", "Give it alone"),
        ("mail_address", "Lockstep", "Set it to an address"),
        ("mail_address", "Lockstep <a@b>\nBcc: c@d", "Set it to an address"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named_with_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, reader: str, value: str, words: str
) -> None:
    monkeypatch.setenv("SOME_SETTING", value)
    with pytest.raises(ImproperlyConfigured, match=r"^SOME_SETTING ") as refused:
        READERS[reader]("SOME_SETTING")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("reader", "value", "read"),
    [
        ("flag", " TRUE ", True),
        ("flag", "", False),
        ("number", " 7 ", 7),
        ("number", "", 5),
        ("choice", "debug", "DEBUG"),
        ("choice", "", "INFO"),
        ("allowed_hosts", " a.example , .b.example,[::1],*", ["a.example", ".b.example", "[::1]", "*"]),
        ("allowed_hosts", "", ["localhost"]),
        ("host", "::1", "::1"),
        ("host", "smtp.example.", "smtp.example."),
        ("mail_address", "Lockstep <a@b.example>", "Lockstep <a@b.example>"),
    ],
)
def test_a_setting_is_read_and_an_empty_one_is_not_set(
    monkeypatch: pytest.MonkeyPatch, reader: str, value: str, read: object
) -> None:
    monkeypatch.setenv("SOME_SETTING", value)
    assert READERS[reader]("SOME_SETTING") == read


def test_a_file_of_a_secret_that_cannot_be_read_is_told_without_its_bytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SOME_SECRET", raising=False)
    (tmp_path / "key").write_bytes(b"s3cr3t\xff")
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "key"))
    with pytest.raises(ImproperlyConfigured, match=r"SOME_SECRET_FILE is .* it is not UTF-8 text") as refused:
        environ.secret("SOME_SECRET")
    assert "s3cr3t" not in str(refused.value)
    monkeypatch.delenv("SOME_SECRET_FILE")
    with pytest.raises(ImproperlyConfigured, match=r"SOME_SECRET is not set and would be read from .* Is a directory"):
        environ.secret("SOME_SECRET", tmp_path)
    assert environ.secret("SOME_SECRET", tmp_path / "nosuch") == ""


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


def test_only_what_up_shares_is_taken_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write there still sets no other variable, and overrides none that is set."""
    environ.remembered(tmp_path).parent.mkdir()
    monkeypatch.setattr(environ, "RECALLED", set())
    for name in ("BROKER_URL", "PUBLIC_URL", "PYTHONPATH", "SEAL_KEYS"):
        monkeypatch.setenv(name, "given")
    monkeypatch.delenv("BROKER_URL")
    monkeypatch.delenv("PYTHONPATH")
    shared = {
        "BROKER_URL": "unix:///broker",
        "PUBLIC_URL": "https://evil.example",
        "PYTHONPATH": "/evil",
        "SEAL_KEYS": "evil",
    }
    environ.remember(tmp_path, shared)
    assert environ.remembered(tmp_path).stat().st_mode & 0o777 == 0o600
    environ.recall(tmp_path)
    assert os.environ["BROKER_URL"] == "unix:///broker"
    assert (os.environ["PUBLIC_URL"], os.environ["SEAL_KEYS"]) == ("given", "given")
    assert "PYTHONPATH" not in os.environ
    monkeypatch.delenv("BROKER_URL")


class Starting:
    """A supervisor that starts nothing."""

    def start(self, child: Child) -> Child:
        return child


@pytest.mark.parametrize("demo", [True, False])
def test_a_program_that_is_not_ours_gets_no_secret_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo: bool
) -> None:
    """The lab of the demo is one that calls a command of ours."""
    monkeypatch.setattr(embedded, "valkey_binary", lambda: "/bin/valkey-server")
    starting: Any = Starting()
    broker = {"BROKER_URL": f"redis+socket://{embedded.broker_socket(tmp_path)}"}
    environment = dict.fromkeys(environ.SECRETS, "s3cr3t") | broker | {"PUBLIC_URL": "http://localhost:1", "TZ": "UTC"}
    valkey = embedded.start_valkey(starting, tmp_path, environment)
    lab, _facts = embedded.start_lab(starting, tmp_path, environment, demo)
    assert valkey
    assert valkey.environment == {"PUBLIC_URL": "http://localhost:1", "TZ": "UTC"}
    assert lab.environment == (environment if demo else valkey.environment)
    assert "s3cr3t" not in str([*valkey.arguments, *lab.arguments])
