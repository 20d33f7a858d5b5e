"""A setting that cannot be read, and a database that cannot be used: one sentence at every way in, no traceback, no secret."""

import contextlib
import http.client
import re
import sqlite3
import ssl
import sys
from pathlib import Path

import pytest
import trustme

from tests.house.test_keys import COMMANDS, OTHER_COMMANDS, SEAL, SERVERS, started
from tests.world.examples import nightly
from tests.world.mails import mail_server
from tests.world.prepared import NewState
from tests.world.programs import ROOT, Program, clean_environment, free_port, until

pytestmark = [pytest.mark.process, pytest.mark.pure]
KEYS = {"SECRET_KEY": "k" * 60, "SEAL_KEYS": SEAL}
# Their words have tests of their own: tests/portal/deployment.
WRONG = {
    "DATABASE_URL": "postgresql://lockstep:s3cr3t/cdEF@database/lockstep",
    "BROKER_URL": "redis://:s3cr3t/x@broker:6379/0",
    "PUBLIC_URL": "lockstep.example",
    "ALLOWED_HOSTS": "https://lockstep.example",
    "BEHIND_PROXY": "on",
    "DISABLE_SERVER_SIDE_CURSORS": "on",
    "EXTRA_CLOUDS": "{",
    "EXTRA_SCIM_HOSTS": "[]",
    "LEASE_SECONDS": "abc",
    "LOG_LEVEL": "verbose",
    "MAIL_FROM": "Lockstep",
    "SCIM_RATE": "0",
    "SMTP_HOST": "smtp.example:25",
    "SMTP_PORT": "99999",
    "OUTBOUND_PROXY": "http://a:s3cr3t/x@proxy:3128",
    "OUTBOUND_CA_FILE": "/no/such/file.pem",
}
NO_DATABASE = "postgresql://lockstep:s3cr3t@127.0.0.1:1/lockstep"


# Of each kind, and what holds a secret.
DAILY = ("DATABASE_URL", "BROKER_URL", "OUTBOUND_PROXY", "PUBLIC_URL", "EXTRA_CLOUDS", "LEASE_SECONDS")


@pytest.mark.parametrize("name", [*DAILY, *nightly(*sorted(WRONG.keys() - DAILY))])
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, name: str) -> None:
    ended = started(tmp_path, "manage.py", "check", **KEYS | {name: WRONG[name]})
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert re.fullmatch(rf"{name} [^\n]+\.\n", ended.stderr.replace(".)", ")."))
    assert "s3cr3t" not in ended.stderr


def test_two_ways_to_tls_at_once_are_one_sentence(tmp_path: Path) -> None:
    both = {"SMTP_HOST": "smtp.example", "SMTP_TLS": "1", "SMTP_STARTTLS": "1"}
    ended = started(tmp_path, "manage.py", "check", **KEYS | both)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(r"SMTP_TLS and SMTP_STARTTLS [^\n]+\.\n", ended.stderr)


def test_mail_goes_out_by_tls_from_the_first_byte(tmp_path: Path) -> None:
    send = "from django.core.mail import send_mail as send; send('Held', '', None, ['jo@acme.example'])"
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with mail_server(context) as mails:
        facts = {"SMTP_HOST": "localhost", "SMTP_PORT": str(mails.port), "SMTP_TLS": "1"}
        trusted = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        ended = started(tmp_path, "manage.py", "shell", "-v0", "-c", send, **KEYS | facts | trusted)
    assert (ended.returncode, ended.stderr, mails.subjects) == (0, "", ["Held"])


@pytest.mark.parametrize(
    "arguments", [*SERVERS, COMMANDS[0], ("manage.py", "up"), *OTHER_COMMANDS], ids=lambda words: " ".join(words[:4])
)
def test_every_way_in_says_the_same_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = started(tmp_path, *arguments, **KEYS | {"DATABASE_URL": WRONG["DATABASE_URL"]})
    said = ended.stdout + ended.stderr
    assert ended.returncode not in (0, 143)
    assert said.count("DATABASE_URL cannot be read. It reads postgresql://") == 1
    assert "Traceback" not in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize(
    "arguments", [("holds", "acme"), *nightly((("migrate",),), (("user_add", "jo@acme.example", "--role", "owner"),))]
)
def test_a_command_without_its_database_says_so(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = started(tmp_path, "manage.py", *arguments, **KEYS | {"DATABASE_URL": NO_DATABASE})
    assert ended.returncode == 1
    assert re.fullmatch(
        r"(CommandError: )?The database cannot be used: .*Connection refused\. See that it runs .*\n", ended.stderr
    )
    assert "s3cr3t" not in ended.stdout + ended.stderr


def test_a_command_on_an_unmigrated_database_names_the_remedy(tmp_path: Path) -> None:
    ended = started(tmp_path, "manage.py", "holds", "acme", **KEYS)
    assert ended.returncode == 1
    assert ended.stderr == (
        "CommandError: The database is not migrated to this version of Lockstep. Run `manage.py migrate`, then try again.\n"
    )


def test_the_check_before_a_start_looks_at_the_tables(tmp_path: Path, new_state: NewState) -> None:
    for state, code in ((tmp_path, 1), (new_state(tmp_path / "state"), 0)):
        ended = started(state, "manage.py", "check", "--deploy", **KEYS, PUBLIC_URL="https://lockstep.example")
        assert ended.returncode == code
        assert ("The database is not migrated to this version of Lockstep." in ended.stderr) == bool(code)


@pytest.mark.parametrize("arguments", [SERVERS[1], *nightly((SERVERS[2],))], ids=lambda words: words[4])
def test_worker_and_beat_do_not_start_on_an_unmigrated_database(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = started(tmp_path, *arguments, **KEYS)
    assert ended.returncode == 1
    assert ended.stderr.count("The database is not migrated to this version of Lockstep.") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [SERVERS[1], *nightly((SERVERS[2],))], ids=lambda words: words[4])
def test_worker_and_beat_do_not_start_on_the_database_of_a_newer_version(
    tmp_path: Path, new_state: NewState, arguments: tuple[str, ...]
) -> None:
    """Somebody put older code back: it would write to AWS by tables whose meaning it does not know."""
    state = new_state(tmp_path / "state")
    with contextlib.closing(sqlite3.connect(state / "lockstep.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('sync', '9999_later', '2027-01-01')"
        )
    ended = started(state, *arguments, **KEYS)
    assert ended.returncode == 1
    assert ended.stderr.count("The database is of a newer version of Lockstep.") == 1
    assert "Traceback" not in ended.stderr


def test_the_web_server_says_it_at_its_start_and_to_probes(tmp_path: Path) -> None:
    """It answers the probe, so that whoever deploys sees why it is not ready."""
    environment = clean_environment(STATE_DIR=str(tmp_path), BROKER_URL="memory://", **KEYS)
    address = f"127.0.0.1:{free_port()}"
    control = ["--control-socket", f"{tmp_path}/ctl"]
    arguments = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", address, *control]
    with Program(arguments, environment, ROOT) as web:
        web.line("The database is not migrated to this version")
        until(lambda: status(address, "/healthz") == 200)
        assert status(address, "/readyz") == 503
        assert not web.count("Traceback")
        assert web.stop() == 0


def status(address: str, path: str) -> int:
    """0 while nobody listens."""
    with contextlib.closing(http.client.HTTPConnection(address, timeout=20)) as connection:
        try:
            connection.request("GET", path, headers={"Host": "10.0.3.7:8000"})
            with connection.getresponse() as answer:
                return answer.status
        except OSError:
            return 0
