"""A small HTTP/1.1 server: keep-alive, a thread per connection, and every answer in one send."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import IO
from urllib.parse import parse_qsl, unquote

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
    """`delay`: seconds before it leaves. `drop`: the connection is closed instead of answering."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False


Handler = Callable[[Request], Response]


class BadRequest(Exception):
    pass


class Server:
    """Listens from the start; serves in threads of its own until closed."""

    def __init__(self, handler: Handler, bind: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.handler = handler
        self.tls = tls
        self.listener = socket.create_server((bind, port), backlog=128)
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True, name=f"accept-{self.port}").start()

    def close(self) -> None:
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
            # The other side went away or does not speak HTTP: there is nobody to tell.
            connection.close()

    def _answer(self, connection: socket.socket, reader: IO[bytes]) -> bool:
        request = read_request(reader)
        if request is None:
            return False
        response = self.handler(request)
        if response.delay:
            time.sleep(response.delay)
        if response.drop:
            return False
        keep = request.headers.get("connection", "").lower() != "close"
        connection.sendall(encode(response, request.method, keep))
        return keep


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
