"""A small HTTP/1.1 server: keep-alive, a thread per connection, and every answer in one send."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import IO
from urllib.parse import parse_qsl, unquote

from lab import clock

MAX_BODY = 8 * 1024 * 1024
MAX_LINE = 64 * 1024
IDLE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Request:
    """`path` and `query` are as sent, undecoded; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def segments(self) -> list[str]:
        return [unquote(part) for part in self.path.split("/") if part]


@dataclass(slots=True)
class Response:
    """How an answer leaves: `delay` seconds late; not at all (`drop`; `reset`: by RST); the body cut (`truncate`) or dripping.

    `applied`: whether the request took effect (None: as the status says). `late`: called with the answer when it does so later.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    reset: bool = False
    truncate: bool = False
    drip: float = 0.0
    applied: bool | None = None
    late: Callable[["Response"], None] = lambda _response: None


Handler = Callable[[Request], Response]


class BadRequest(Exception):
    pass


class InFlight:
    """How many requests were here at once, at the most: from their arrival until their answer leaves."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.lock = threading.Lock()

    def forget(self) -> None:
        with self.lock:
            self.most = self.now

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            yield
        finally:
            with self.lock:
                self.now -= 1


class Timing:
    """`seconds`: in the handler, waiting included. `cpu_seconds`: of the whole request, TLS and HTTP included."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.empty()

    def empty(self) -> None:
        with self.lock:
            self.requests, self.seconds, self.cpu_seconds = 0, 0.0, 0.0

    def add(self, seconds: float, cpu_seconds: float) -> None:
        with self.lock:
            self.requests += 1
            self.seconds += seconds
            self.cpu_seconds += cpu_seconds

    def add_cpu(self, cpu_seconds: float) -> None:
        """For sending the answer, which comes after the request was counted."""
        with self.lock:
            self.cpu_seconds += cpu_seconds


class Server:
    """Listens from the start; serves in threads of its own until closed."""

    def __init__(self, handler: Handler, bind: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.handler = handler
        self.tls = tls
        self.in_flight = InFlight()
        self.timing = Timing()
        self.listener = socket.create_server((bind, port), backlog=128)
        self.port: int = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self._accept, daemon=True, name=f"accept-{self.port}")
        self.accepting.start()

    def close(self) -> None:
        """A thread that still accepts would do so on whoever gets the number of the closed socket next (accept(2))."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(IDLE_SECONDS)
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as reader:
                while self._answer(connection, reader):
                    pass
        except (OSError, BadRequest):
            # The other side went away or does not speak HTTP: there is nobody to answer.
            connection.close()

    def _answer(self, connection: socket.socket, reader: IO[bytes]) -> bool:
        began = time.thread_time()
        request = read_request(reader)
        if request is None:
            return False
        with self.in_flight.counted():
            response, seconds = self._handled(request)
        keep = request.headers.get("connection", "").lower() != "close"
        handled = time.thread_time()
        # Counted before the answer leaves: its receiver may ask for the count at once.
        self.timing.add(seconds, handled - began)
        try:
            return send(connection, response, request.method, keep)
        finally:
            self.timing.add_cpu(time.thread_time() - handled)

    def _handled(self, request: Request) -> tuple[Response, float]:
        """The answer when it may leave, and how long the handler took. A delay holds up nobody else."""
        clock.catch_up()
        began = time.monotonic()
        response = self.handler(request)
        seconds = time.monotonic() - began
        if response.delay:
            clock.sleep(response.delay)
        return response, seconds


def send(connection: socket.socket, response: Response, method: str, keep: bool) -> bool:
    """Whether the connection goes on."""
    if response.reset:
        # Closing with a linger time of zero sends RST (socket(7), SO_LINGER).
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    if response.drop:
        return False
    data = encode(response, method, keep)
    if response.truncate:
        connection.sendall(data[: len(data) - (len(response.body) + 1) // 2])
        return False
    if response.drip:
        return _drip(connection, data, len(data) - len(response.body), response.drip) and keep
    connection.sendall(data)
    return keep


def _drip(connection: socket.socket, data: bytes, head: int, seconds: float) -> bool:
    """The head at once, then a byte every so many seconds."""
    connection.sendall(data[:head])
    for position in range(head, len(data)):
        clock.sleep(seconds)
        connection.sendall(data[position : position + 1])
    return True


def serve(handler: Handler, bind: str, port: int, tls: ssl.SSLContext | None) -> Server:
    return Server(handler, bind, port, tls)


def read_request(reader: IO[bytes]) -> Request | None:
    """None when the connection was closed between requests."""
    line = reader.readline(MAX_LINE)
    if not line.strip():
        return None
    try:
        method, target, _version = line.decode("latin-1").split()
    except ValueError as error:
        raise BadRequest from error
    headers = _headers(reader)
    length = int(headers.get("content-length") or 0)
    if length > MAX_BODY:
        raise BadRequest
    body = reader.read(length) if length else b""
    path, _, query = target.partition("?")
    return Request(method, path, query, headers, body)


def _headers(reader: IO[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := reader.readline(MAX_LINE).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return headers


def encode(response: Response, method: str, keep: bool) -> bytes:
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    headers = {"Date": formatdate(usegmt=True), **response.headers}
    headers["Content-Length"] = str(len(response.body))
    headers["Connection"] = "keep-alive" if keep else "close"
    lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head if method == "HEAD" else head + response.body
