"""A server that sends exactly the bytes that a test names: what no well-behaved server would do."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Script = Callable[[socket.socket], None]


class RawServer:
    """Runs one script per request; `connections` counts the sockets that clients have opened, `heads` is what they sent."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = iter(scripts)
        self.connections = 0
        self.heads: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.threads.append(threading.Thread(target=self._talk, args=(connection,)))
            self.threads[-1].start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                while head := _read_request(connection):
                    self.heads.append(head)
                    next(self.scripts)(connection)
            except (OSError, StopIteration):
                return

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(15)


def _read_request(connection: socket.socket) -> bytes:
    """The head of one request, whose body is read too; empty when the client has gone."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        got = connection.recv(65536)
        if not got:
            return b""
        seen += got
    head, _, body = seen.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head


def sends(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Script:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return lambda connection: connection.sendall("\r\n".join(head).encode() + body)


def hangs_up(connection: socket.socket) -> None:
    raise ConnectionAbortedError


def cuts(connection: socket.socket) -> None:
    """Promises more than it sends."""
    sends(b'{"id": "1"', length=500)(connection)
    raise ConnectionAbortedError


def drips(connection: socket.socket) -> None:
    """One byte at a time, faster than any read timeout, for as long as the client listens."""
    sends(b"", length=10_000)(connection)
    for _ in range(10_000):
        connection.sendall(b" ")
        time.sleep(0.005)


def drips_packed_nothing(connection: socket.socket) -> None:
    """Gzip whose blocks are empty (RFC 1951 section 3.2.4): bytes arrive, content never does."""
    sends(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "Content-Encoding: gzip", length=100_000)(connection)
    for _ in range(10_000):
        connection.sendall(b"\x00\x00\x00\xff\xff")
        time.sleep(0.005)


def closes_after(answer: Script) -> Script:
    """A whole answer that announces no end of the connection, and then the end."""

    def script(connection: socket.socket) -> None:
        answer(connection)
        connection.shutdown(socket.SHUT_RDWR)

    return script


def waits_for_the_client_to_go(connection: socket.socket) -> None:
    connection.recv(1)


@contextmanager
def raw_server(*scripts: Script) -> Iterator[RawServer]:
    running = RawServer(*scripts)
    try:
        yield running
    finally:
        running.stop()
