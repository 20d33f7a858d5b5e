"""gunicorn's threaded worker with a waiting room before its threads: a thread gets a whole request, or none.

Its own worker hands every connection to a thread at once, and the thread waits for head and body as long as they take: as many
silent clients as there are threads stop it for everybody. Here the main loop collects heads and forms of all connections at
once, within the limits of `limits`, and threads answer. Larger bodies, and those of unknown length, go to a thread
unread: Django refuses them by their head, or reads them from somebody who may send a file.
"""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gunicorn.http import wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker

from portal.deployment import limits

END_OF_HEAD = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = b"\r\nConnection: close"
LINGER_SECONDS, LINGER_BYTES = 2.0, 64 * 1024
# What stands behind the site is nobody's business; gunicorn has no setting for it.
wsgi.SERVER = "Lockstep"


class Connection(TConn):  # type: ignore[misc]
    """Its graceful end, a wait for the client's own, is the main loop's business too."""

    def __init__(self, worker: "WaitingRoomWorker", *facts: Any) -> None:
        super().__init__(*facts)
        self.worker = worker
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.SEND_BUFFER_BYTES)
        # socket(7): a send that makes no way for so long fails.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", limits.SEND_SECONDS, 0))

    def close(self, graceful: bool = False) -> None:
        if graceful:
            self.worker.linger(self)
        else:
            super().close()


@dataclass
class Waiting:
    """A request that is not whole yet. `whole`: how many bytes it has to have; None while its head is not."""

    until: float
    received: bytearray = field(default_factory=bytearray)
    whole: int | None = None


@dataclass
class Lingering:
    until: float
    drained: int = 0


class WaitingRoomWorker(ThreadWorker):  # type: ignore[misc]
    def __init__(self, *facts: Any, **named: Any) -> None:
        super().__init__(*facts, **named)
        self.waiting: dict[Connection, Waiting] = {}
        self.waiting_bytes = 0
        self.lingering: dict[Connection, Lingering] = {}
        # With a thread, since when.
        self.in_hand: dict[Connection, float] = {}

    # Coming in

    def accept(self, listener: socket.socket) -> None:
        try:
            client, address = listener.accept()
        except OSError:
            # Another worker was quicker, or the client has gone.
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self, self.cfg, client, address, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """Wherever gunicorn gives a connection to a thread, new ones and kept ones, it waits here first."""
        ahead = conn.parser.unreader.take_buffered() if conn.parser else b""
        conn.sock.setblocking(False)
        if len(self.waiting) >= limits.MOST_WAITING:
            self._drop(next(iter(self.waiting)))
        self.waiting[conn] = Waiting(time.monotonic() + limits.HEAD_SECONDS)
        self._listen(conn, self._read)
        self._take(conn, ahead)

    def _listen(self, conn: Connection, then: Callable[[Connection], None]) -> None:
        self.poller.register(conn.sock, 1, lambda _sock: then(conn))

    def _read(self, conn: Connection) -> None:
        try:
            received = conn.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if received:
            self._take(conn, received)
        else:
            self._drop(conn)

    def _take(self, conn: Connection, received: bytes) -> None:
        waiting = self.waiting[conn]
        waiting.received += received
        self.waiting_bytes += len(received)
        if waiting.whole is None:
            self._look_at_head(conn, waiting)
        if waiting.whole is not None and len(waiting.received) >= waiting.whole:
            self._hand_over(conn)
        elif conn in self.waiting and self.waiting_bytes > limits.MOST_WAITING_BYTES:
            self._refuse(conn, "503 Service Unavailable")

    def _look_at_head(self, conn: Connection, waiting: Waiting) -> None:
        end = waiting.received.find(END_OF_HEAD, 0, limits.HEAD_BYTES)
        if end < 0:
            if len(waiting.received) >= limits.HEAD_BYTES:
                self._refuse(conn, "431 Request Header Fields Too Large")
            return
        head = dict(_fields(bytes(waiting.received[:end])))
        waiting.until = time.monotonic() + limits.BODY_SECONDS
        body = _length(head)
        if body is None or body > limits.BODY_BYTES:
            # Nobody waits for the rest of a body that was refused: the connection ends with the answer.
            line = waiting.received.index(b"\r\n")
            waiting.received[line:line] = CLOSE
            body, end = 0, end + len(CLOSE)
        elif body and head.get(b"expect", b"").lower() == b"100-continue":
            self._send(conn, CONTINUE)
        waiting.whole = end + len(END_OF_HEAD) + body

    def _hand_over(self, conn: Connection) -> None:
        received = bytes(self._leave(conn).received)
        conn.init()
        conn.parser.unreader.unread(received)
        self.in_hand[conn] = time.monotonic()
        super().enqueue_req(conn)

    # Going out

    def finish_request(self, conn: Connection, fs: Any) -> None:
        self.in_hand.pop(conn, None)
        super().finish_request(conn, fs)

    def _refuse(self, conn: Connection, status: str) -> None:
        self._leave(conn)
        self._send(conn, f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        self.nr_conns -= 1
        conn.close(graceful=True)

    def _drop(self, conn: Connection) -> None:
        self._leave(conn)
        self.nr_conns -= 1
        conn.close()

    def _leave(self, conn: Connection) -> Waiting:
        waiting = self.waiting.pop(conn)
        self.waiting_bytes -= len(waiting.received)
        self.poller.unregister(conn.sock)
        return waiting

    def _send(self, conn: Connection, answer: bytes) -> None:
        """A few bytes fit into the kernel's buffer, or the client has gone."""
        try:
            conn.sock.send(answer)
        except OSError:
            return

    def linger(self, conn: Connection) -> None:
        """RFC 9112 section 9.6: close at once, and what the client still sends takes the answer's end from it."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            conn.close()
            return
        self.lingering[conn] = Lingering(time.monotonic() + LINGER_SECONDS)
        self._listen(conn, self._drain)

    def _drain(self, conn: Connection) -> None:
        lingering = self.lingering[conn]
        try:
            received = conn.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        lingering.drained += len(received)
        if not received or lingering.drained > LINGER_BYTES:
            self._end(conn)

    def _end(self, conn: Connection) -> None:
        del self.lingering[conn]
        self.poller.unregister(conn.sock)
        conn.close()

    # Time

    def murder_pending(self) -> None:
        """gunicorn calls it about once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn in _over(self.waiting, now):
            self._refuse(conn, "408 Request Timeout") if self.waiting[conn].received else self._drop(conn)
        for conn in _over(self.lingering, now):
            self._end(conn)
        for conn in [one for one, since in self.in_hand.items() if now - since > limits.REQUEST_SECONDS]:
            # Its thread reads from or writes to somebody slow: both fail now.
            del self.in_hand[conn]
            _shut(conn)


def _shut(conn: Connection) -> None:
    try:
        conn.sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _over(room: dict[Connection, Any], now: float) -> list[Connection]:
    return [conn for conn, one in room.items() if one.until <= now]


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names in lower case. Only to know how long to wait: gunicorn's parser decides what is valid."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        yield name.strip().lower(), value.strip()


def _length(head: dict[bytes, bytes]) -> int | None:
    """None where nobody can say it."""
    said = head.get(b"content-length", b"0")
    if b"transfer-encoding" in head or not said.isdigit() or len(said) > 18:
        return None
    return int(said)
