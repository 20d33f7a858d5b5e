"""Lines of the audit log, shipped to real receivers: all of them, in order, as the table has them, through outages."""

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.conf import LazySettings
from django.utils import timezone

from sync import audit, queue
from sync.audit.lines import line_of
from sync.audit.verification import compare, verify
from sync.models import AuditEntry, AuditHead, Tenant
from sync.worker import audit_shipping, scheduling

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


@pytest.fixture
def entries(tenant: Tenant) -> list[AuditEntry]:
    for number in range(4):
        audit.record("jo@acme.example", "tenant.change", tenant, {"n": number}, {"n": f"Zoë\u2028\n{number}"})
    return list(AuditEntry.objects.order_by("position"))


def table() -> list[dict[str, Any]]:
    return [line_of(entry) for entry in AuditEntry.objects.order_by("position")]


def later() -> None:
    AuditHead.objects.update(ship_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def authority(settings: LazySettings, tmp_path: Path) -> trustme.CA:
    found = trustme.CA()
    found.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    settings.OUTBOUND_CA_FILE = str(tmp_path / "ca.pem")
    return found


class Receiver(ThreadingHTTPServer):
    """`answers`: statuses to give, then 200 for ever."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://localhost:{self.server_port}/lines"
        self.answers: list[int] = []
        self.heads: list[dict[str, str]] = []
        self.lines: list[Any] = []


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.server.heads.append(dict(self.headers))
        if status == 200:
            self.server.lines += [json.loads(line) for line in body.split("\n") if line]
        self.send_response(status)
        self.send_header("Location", "http://localhost:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver(authority: trustme.CA) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = Receiver(context)
    with serving(server):
        yield server


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_gets_the_lines_of_the_table_once(
    entries: list[AuditEntry], settings: LazySettings, tmp_path: Path
) -> None:
    file = tmp_path / "audit.jsonl"
    settings.AUDIT_SHIP_TO = f"file://{file}"
    audit_shipping.ship()
    audit_shipping.ship()
    audit.record("jo@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": "x"})
    audit_shipping.ship()
    lines = file.read_text().splitlines()
    assert [json.loads(line) for line in lines] == table()
    assert file.stat().st_mode & 0o777 == 0o600
    report = verify()
    compare(report, lines)
    assert report.found == 0


def test_https_gets_the_lines_with_the_token(
    entries: list[AuditEntry], settings: LazySettings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_shipping, "LINES", 2)
    settings.AUDIT_SHIP_TO, settings.AUDIT_SHIP_TOKEN = receiver.url, "s3cret"
    audit_shipping.ship()
    assert receiver.lines == table()
    assert {head["Authorization"] for head in receiver.heads} == {"Bearer s3cret"}
    assert len(receiver.heads) == 3


@pytest.mark.parametrize("status", [500, 401, 302, 204])
def test_what_was_not_taken_is_sent_again_later(
    entries: list[AuditEntry], settings: LazySettings, receiver: Receiver, status: int
) -> None:
    settings.AUDIT_SHIP_TO = receiver.url
    receiver.answers = [status]
    audit_shipping.ship()
    head = AuditHead.objects.get()
    if status == 204:
        assert (head.shipped, head.ship_failures) == (len(entries), 0)
        return
    assert (head.shipped, head.ship_failures, head.ship_error) == (0, 1, f"it answered {status}")
    # Not at once.
    audit_shipping.ship()
    assert len(receiver.heads) == 1
    later()
    audit_shipping.ship()
    assert receiver.lines == table()
    assert AuditHead.objects.get().ship_error == ""


def test_a_receiver_that_is_away_is_waited_for(entries: list[AuditEntry], settings: LazySettings) -> None:
    settings.AUDIT_SHIP_TO, settings.AUDIT_SHIP_TOKEN = "https://localhost:1/s3cret", "t0ken"
    for failures in range(1, 6):
        audit_shipping.ship()
        head = AuditHead.objects.get()
        assert (head.ship_failures, head.shipped, head.ship_error) == (failures, 0, "it cannot be reached")
        assert head.ship_at - timezone.now() < timedelta(minutes=16)
        later()


def test_a_moment_that_was_set_far_ahead_holds_nothing_up(
    entries: list[AuditEntry], settings: LazySettings, tmp_path: Path
) -> None:
    settings.AUDIT_SHIP_TO = (tmp_path / "audit.jsonl").as_uri()
    AuditHead.objects.update(ship_at=timezone.now() + timedelta(days=9))
    assert audit_shipping.is_due()
    audit_shipping.ship()
    assert AuditHead.objects.get().shipped == len(entries)


def test_a_certificate_of_somebody_else_gets_nothing(
    entries: list[AuditEntry], settings: LazySettings, receiver: Receiver
) -> None:
    settings.AUDIT_SHIP_TO, settings.OUTBOUND_CA_FILE = receiver.url, None
    audit_shipping.ship()
    assert AuditHead.objects.get().ship_error == "its certificate is not trusted"
    assert receiver.heads == []


@pytest.mark.parametrize("scheme", ["syslog", "syslog+tls"])
def test_syslog_gets_a_message_per_line(
    entries: list[AuditEntry], settings: LazySettings, authority: trustme.CA, scheme: str
) -> None:
    received: list[bytes] = []

    class Collector(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            received.append(self.rfile.read())

    server = socketserver.TCPServer(("127.0.0.1", 0), Collector)
    if scheme == "syslog+tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    settings.AUDIT_SHIP_TO = f"{scheme}://localhost:{server.server_address[1]}"
    with serving(server):
        audit_shipping.ship()
    messages = list(frames(b"".join(received)))
    assert [json.loads(message.partition(" - audit - ")[2]) for message in messages] == table()
    assert {message.partition(" ")[0] for message in messages} == {"<109>1"}


def frames(data: bytes) -> Iterator[str]:
    """RFC 6587 section 3.4.1."""
    while data:
        length, _blank, rest = data.partition(b" ")
        yield rest[: int(length)].decode()
        data = rest[int(length) :]


def test_of_two_workers_one_ships(
    entries: list[AuditEntry], settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "audit.jsonl"
    settings.AUDIT_SHIP_TO = f"file://{file}"
    once: Callable[[list[str]], None] = audit_shipping.SENDERS["file"]

    def meanwhile(lines: list[str]) -> None:
        audit_shipping.ship()
        once(lines)

    monkeypatch.setattr(audit_shipping, "SENDERS", {"file": meanwhile})
    audit_shipping.ship()
    assert len(file.read_text().splitlines()) == len(entries)


def test_the_dispatcher_chains_what_was_left_and_asks_for_shipping(
    entries: list[AuditEntry], settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sync.queue.send", lambda task, _key: asked.append(task))
    monkeypatch.setattr("sync.audit.log.chain.extend", lambda: None)
    audit.record("jo@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": "x"})
    monkeypatch.undo()
    monkeypatch.setattr("sync.queue.send", lambda task, _key: asked.append(task))
    assert verify().waiting == 1
    scheduling.dispatch()
    assert verify().waiting == 0
    assert queue.SHIP_AUDIT not in asked
    settings.AUDIT_SHIP_TO = f"file://{tmp_path}/audit.jsonl"
    scheduling.dispatch()
    assert queue.SHIP_AUDIT in asked
