"""Settings that are URLs: what is taken, and that nothing of what is refused is quoted."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme
from django.core.exceptions import ImproperlyConfigured
from kombu.utils.url import parse_url

from portal.deployment import addresses

pytestmark = pytest.mark.pure
FILE = Path("/var/lib/lockstep/lockstep.sqlite3")


def database(monkeypatch: pytest.MonkeyPatch, url: str) -> dict[str, Any]:
    monkeypatch.setenv("DATABASE_URL", url)
    return addresses.database("DATABASE_URL", FILE)


def broker(monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    monkeypatch.setenv("BROKER_URL", url)
    return addresses.broker("BROKER_URL", "redis+socket:///default.sock")


@pytest.mark.parametrize(
    ("url", "user", "password", "host", "port", "name"),
    [
        ("postgresql://lockstep:pw@db:6432/lockstep", "lockstep", "pw", "db", "6432", "lockstep"),
        ("postgres://lockstep:ab%2FcdEF@database/lockstep", "lockstep", "ab/cdEF", "database", "", "lockstep"),
        ("postgresql://u:a%23%3F%40%25%5B%3A@db/x", "u", "a#?@%[:", "db", "", "x"),
        ("postgresql://lockstep@/lockstep?host=/run/pg", "lockstep", "", "/run/pg", "", "lockstep"),
        ("postgresql://u@[fd00::5]:5432/x", "u", "", "fd00::5", "5432", "x"),
    ],
)
def test_a_database_is_read_as_rfc_3986_has_it(
    monkeypatch: pytest.MonkeyPatch, url: str, user: str, password: str, host: str, port: str, name: str
) -> None:
    found = database(monkeypatch, url)
    held = (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"])
    assert held == (user, password, host, port, name)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://lockstep:s3cr3t/cdEF@database/lockstep",
        "postgresql://lockstep:12/s3cr3t@database/lockstep",
        "postgresql://lockstep:s3cr3t#x@database/lockstep",
        "postgresql://lockstep:12#s3cr3t@database/lockstep",
        "postgresql://lockstep:12?s3cr3t@database/lockstep",
        "postgresql://lockstep:[s3cr3t@database/lockstep",
        "postgresql://lockstep:s3cr3t@database:s3cr3t/lockstep",
        "postgresql://lockstep:s3cr3t@database:99999/lockstep",
        "postgresql://lockstep:s3cr3t@database",
        "mysql://lockstep:s3cr3t@database/lockstep",
        "s3cr3t",
        "sqlite:///",
        "sqlite://relative/path",
    ],
)
def test_a_database_that_cannot_be_read_is_refused_without_being_quoted(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"DATABASE_URL cannot be read.*percent-encoded") as refused:
        database(monkeypatch, url)
    assert "s3cr3t" not in str(refused.value)
    assert refused.value.__context__ is None


def test_an_option_that_libpq_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    known = database(monkeypatch, "postgresql://u@db/x?sslmode=verify-full&sslrootcert=/etc/ca.pem")
    assert known["OPTIONS"] == {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}
    with pytest.raises(ImproperlyConfigured, match="an option after its \\?"):
        database(monkeypatch, "postgresql://u@db/x?sslmod=verify-full")


def test_without_a_database_a_file_in_the_state_folder_is_taken_whatever_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    odd = Path("/home/jo@acme.example/#1?/lockstep.sqlite3")
    assert addresses.database("DATABASE_URL", odd)["NAME"] == str(odd)


def test_the_urls_with_passwords_may_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:pw@db/x\n")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    assert addresses.database("DATABASE_URL", FILE)["PASSWORD"] == "pw"


CHECKS = {
    "": ssl.CERT_REQUIRED,
    "?ssl_cert_reqs=CERT_REQUIRED": ssl.CERT_REQUIRED,
    "?ssl_cert_reqs=required": ssl.CERT_REQUIRED,
    "?ssl_cert_reqs=CERT_OPTIONAL": ssl.CERT_OPTIONAL,
    "?ssl_cert_reqs=optional": ssl.CERT_OPTIONAL,
    "?ssl_cert_reqs=CERT_NONE": ssl.CERT_NONE,
    "?ssl_cert_reqs=none": ssl.CERT_NONE,
}


@pytest.mark.parametrize("option", CHECKS)
def test_both_readers_of_a_broker_with_tls_check_its_certificate_alike(
    monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """kombu carries the messages, redis-py the counters of sign-in. kombu by itself checks nothing without the option."""
    url = broker(monkeypatch, f"rediss://:p%40ss@broker.example.test:6379/0{option}")
    assert parse_url(url)["ssl"]["ssl_cert_reqs"] == CHECKS[option]
    connection = redis.ConnectionPool.from_url(url).make_connection()
    assert connection.cert_reqs == CHECKS[option]  # type: ignore[attr-defined]
    assert connection.password == parse_url(url)["password"] == "p@ss"  # type: ignore[attr-defined]


def test_the_files_of_tls_reach_both_readers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    url = broker(monkeypatch, f"rediss://broker:6380/1?ssl_ca_certs={tmp_path}/ca.pem&ssl_check_hostname=False")
    connection = redis.ConnectionPool.from_url(url).make_connection()
    seen = parse_url(url)["ssl"]
    assert seen["ssl_ca_certs"] == connection.ca_certs == f"{tmp_path}/ca.pem"  # type: ignore[attr-defined]
    assert seen["ssl_check_hostname"] is connection.check_hostname is False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("rediss://h/0?ssl_cert_reqs=yes", "Set it to one of: required, optional, none"),
        ("rediss://h/0?ssl_check_hostname=maybe", "Set it to one of: true, false"),
        ("rediss://h/0?ssl_ca_certs=/no/such/file", "cannot be read as certificate authorities: No such file"),
        ("rediss://h/0?ssl_cert_req=required", "not known. It takes: ssl_cert_reqs"),
        ("redis://h/0?ssl_cert_reqs=required", "are for rediss://"),
        ("redis+socket:///run/v.sock?db=1", "takes none"),
        ("redis://:s3cr3t/x@h:6379/0", "BROKER_URL cannot be read"),
        ("redis://:s3cr3t#x@h:6379/0", "BROKER_URL cannot be read"),
        ("redis://h:s3cr3t/0", "BROKER_URL cannot be read"),
        ("redis://h:6379/zero", "BROKER_URL cannot be read"),
        ("redis+socket://", "BROKER_URL cannot be read"),
        ("amqp://", "BROKER_URL cannot be read"),
        ("kafka://h", "BROKER_URL cannot be read"),
        ("broker:6379", "BROKER_URL cannot be read"),
    ],
)
def test_a_broker_that_cannot_be_read_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        broker(monkeypatch, url)
    assert words in str(refused.value)
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://broker:6379/0",
        "redis://user:p%2Fw@broker",
        "redis+socket:///run/valkey.sock",
        "amqp://user:pw@rabbit:5672//",
        "amqps://rabbit/lockstep",
        "filesystem://",
        "memory://",
    ],
)
def test_other_brokers_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert broker(monkeypatch, url) == url


@pytest.mark.parametrize("url", ["https://lockstep.example", "http://localhost:8000", "https://[fd00::5]:8443"])
def test_people_find_lockstep_at_an_origin(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PUBLIC_URL", f"{url}/")
    assert addresses.origin("PUBLIC_URL", "http://x") == url


@pytest.mark.parametrize(
    "url",
    ["lockstep.example", "ftp://x", "https://x/lockstep", "https://x:port", "https://jo@x", "https://", "https://["],
)
def test_another_address_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)
    with pytest.raises(ImproperlyConfigured, match="PUBLIC_URL is not the address"):
        addresses.origin("PUBLIC_URL", "http://x")


def test_an_ipv6_address_is_a_host_in_brackets() -> None:
    assert addresses.host_of("https://[fd00::5]:8443") == "[fd00::5]"
    assert addresses.host_of("https://lockstep.example:8443") == "lockstep.example"
