"""The audit log off the machine: its lines, in the order of the chain, to a file, a syslog server or an HTTPS address.

At least once: what was on its way when a worker died is sent again, and its `uid` says that it is the same.
"""

import contextlib
import datetime
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from sync.audit import chain
from sync.audit.lines import to_text
from sync.connection.outbound import NotSent, post
from sync.models import AuditEntry, AuditHead

log = structlog.get_logger(__name__)

LINES = 200
MINUTE = datetime.timedelta(minutes=1)
# After the first, second … failure; the last one repeats for as long as it takes.
WAITS = (MINUTE / 6, MINUTE, 5 * MINUTE, 15 * MINUTE)
# Longer than LINES take anywhere: nobody else ships meanwhile, and after a death somebody does.
IN_HAND = 5 * MINUTE
# RFC 5424 section 6.2.1: facility 13, log audit, severity 5, notice.
PRIORITY = 13 * 8 + 5
SECONDS = 10


def is_due() -> bool:
    return bool(settings.AUDIT_SHIP_TO) and _due().exists()


def ship() -> None:
    """All that is not shipped yet. Of two workers one has it in hand."""
    if not settings.AUDIT_SHIP_TO or not _due().update(ship_at=timezone.now() + IN_HAND):
        return
    head = AuditHead.objects.get(pk=chain.HEAD)
    try:
        while entries := _next(head.shipped):
            SENDERS[urlsplit(settings.AUDIT_SHIP_TO).scheme]([to_text(entry) for entry in entries])
            head.shipped = entries[-1].position or head.shipped
            _note(shipped=head.shipped, ship_at=timezone.now() + IN_HAND)
    except (OSError, NotSent) as error:
        _failed(head, error)
    else:
        _note(ship_at=timezone.now(), ship_failures=0, ship_error="")


def _due() -> QuerySet[AuditHead]:
    """A moment further ahead than any that is set here was not set here."""
    now = timezone.now()
    due = Q(ship_at__lte=now) | Q(ship_at__gt=now + max(WAITS) + MINUTE)
    return AuditHead.objects.filter(due, pk=chain.HEAD, shipped__lt=F("position"))


def _next(shipped: int) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(position__gt=shipped).order_by("position")[:LINES])


def _note(**facts: object) -> None:
    AuditHead.objects.filter(pk=chain.HEAD).update(**facts)


def _failed(head: AuditHead, error: Exception) -> None:
    failures = head.ship_failures + 1
    log.error("audit log not shipped", failures=failures, shipped=head.shipped, reason=str(error))
    wait = WAITS[min(failures, len(WAITS)) - 1]
    _note(ship_at=timezone.now() + wait, ship_failures=failures, ship_error=str(error)[:500])


def _to_file(lines: list[str]) -> None:
    """Opened anew each time: logrotate may have moved it."""
    path = Path(urlsplit(settings.AUDIT_SHIP_TO).path)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def _to_https(lines: list[str]) -> None:
    headers = {"Content-Type": "application/x-ndjson", "User-Agent": "Lockstep"}
    if settings.AUDIT_SHIP_TOKEN:
        headers["Authorization"] = f"Bearer {settings.AUDIT_SHIP_TOKEN}"
    answer = post(settings.AUDIT_SHIP_TO, "".join(lines).encode(), headers)
    if not answer.ok:
        raise NotSent(f"it answered {answer.status}")


def _to_syslog(lines: list[str]) -> None:
    """RFC 5424 over TCP or TLS; each message after its length (RFC 6587 section 3.4.1, RFC 5425 section 4.3)."""
    place = urlsplit(settings.AUDIT_SHIP_TO)
    with closing(_connect(place)) as connection:
        for line in lines:
            message = _message(line.rstrip("\n"))
            connection.sendall(f"{len(message)} ".encode() + message)
        _finish(connection)


def _finish(connection: socket.socket) -> None:
    """A connection that is closed while something of the server's is unread is reset, and takes what was sent along."""
    with contextlib.suppress(OSError):
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def _connect(place: SplitResult) -> socket.socket:
    connection = socket.create_connection((place.hostname, place.port), timeout=SECONDS)
    if place.scheme != "syslog+tls":
        return connection
    try:
        trusted = ssl.create_default_context(cafile=settings.OUTBOUND_CA_FILE)
        return trusted.wrap_socket(connection, server_hostname=place.hostname)
    except OSError:
        connection.close()
        raise


def _message(text: str) -> bytes:
    """All but the text is the same in each; the time within the text is that of the entry."""
    sent_at = timezone.now().isoformat(timespec="milliseconds")
    return f"<{PRIORITY}>1 {sent_at} {socket.gethostname()} lockstep - audit - {text}".encode()


SENDERS: Mapping[str, Callable[[list[str]], None]] = {
    "file": _to_file,
    "https": _to_https,
    "http": _to_https,
    "syslog": _to_syslog,
    "syslog+tls": _to_syslog,
}
