"""HTTP/1.1 to a single host over connections that are kept: one header set, one trust store, no redirects, no cookies.

A general HTTP client works these out anew for each request, which costs as much as the request itself.
"""

import ssl
import time
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit
from weakref import finalize

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util import wait_for_read

PIECE = 65536


class NotSent(Exception):
    """There is no connection: certainly nothing left this process."""


class Lost(Exception):
    """The request may have arrived; `status`: that of the answer, where its head came."""

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


class TooLarge(Lost):
    pass


@dataclass(frozen=True, slots=True)
class Raw:
    status: int
    headers: HTTPMessage
    content: bytes


class OneHost:
    """Thread safe: each exchange has a connection of its own. `base`: scheme and host; a path is not looked at."""

    def __init__(
        self,
        base: str,
        ca_file: str | None,
        *,
        connect_timeout: float,
        read_timeout: float,
        answer_seconds: float,
        answer_bytes: int,
    ) -> None:
        self.address = urlsplit(base)
        self.ca_file = ca_file
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self.answer_seconds = answer_seconds
        self.answer_bytes = answer_bytes
        self.trust: ssl.SSLContext | None = None
        self.idle: deque[HTTPConnection] = deque()
        finalize(self, _close_all, self.idle)

    def close(self) -> None:
        _close_all(self.idle)

    def exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Raw:
        """Raises NotSent, TooLarge and Lost."""
        connection = self._connection()
        try:
            connection.request(method, target, body, headers)
            raw = self._answer(connection)
        except (OSError, HTTPException) as error:
            connection.close()
            raise Lost(_words(error)) from None
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            self.idle.append(connection)
        return raw

    def _connection(self) -> HTTPConnection:
        while self.idle:
            try:
                kept = self.idle.pop()
            except IndexError:
                break
            # Nothing is due on it: what can be read is the server's goodbye.
            if not wait_for_read(kept.sock, timeout=0.0):
                return kept
            kept.close()
        return self._connect()

    def _connect(self) -> HTTPConnection:
        connection: HTTPConnection | None = None
        try:
            connection = self._made()
            connection.connect()
        except (OSError, UnicodeError) as error:
            if connection is not None:
                connection.close()
            raise NotSent(_words(error)) from None
        connection.sock.settimeout(self.read_timeout)
        return connection

    def _made(self) -> HTTPConnection:
        host, port = self.address.hostname or "", self.address.port
        if self.address.scheme == "http":
            return HTTPConnection(host, port, timeout=self.connect_timeout)
        if self.trust is None:
            self.trust = ssl.create_default_context(cafile=self.ca_file or DEFAULT_CA_BUNDLE_PATH)
            self.trust.set_alpn_protocols(["http/1.1"])
        return HTTPSConnection(host, port, timeout=self.connect_timeout, context=self.trust)

    def _answer(self, connection: HTTPConnection) -> Raw:
        with connection.getresponse() as response:
            try:
                return Raw(response.status, response.headers, self._content(response))
            except (OSError, HTTPException, zlib.error) as error:
                raise Lost(_words(error), response.status) from None

    def _content(self, response: HTTPResponse) -> bytes:
        """Bounded in size (unpacked) and time: a read timeout starts anew with each byte of a server that drips."""
        began, size = time.monotonic(), 0
        pieces: list[bytes] = []
        unpack = _unpacker(response)
        for piece in _pieces(response):
            plain = unpack.decompress(piece, self.answer_bytes - size + 1) if unpack else piece
            size += len(plain)
            if size > self.answer_bytes:
                raise TooLarge(f"The answer is larger than {self.answer_bytes} bytes.", response.status)
            if time.monotonic() - began > self.answer_seconds:
                raise Lost(f"The answer took longer than {self.answer_seconds:.0f} s.", response.status)
            pieces.append(plain)
        return b"".join(pieces)


def _unpacker(response: HTTPResponse) -> Any:
    """For gzip and zlib; None for what is not packed."""
    packed = response.headers.get("Content-Encoding", "").lower() in ("gzip", "deflate")
    return zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    """What has arrived, without waiting for a whole piece. `read1` of Python 3.11 does not know where a body ends."""
    left = response.length
    if left is None:
        while piece := response.read1(PIECE):
            yield piece
        return
    while left > 0:
        piece = response.fp.read1(min(left, PIECE))
        if not piece:
            raise HTTPException(f"The answer ends {left} bytes too early.")
        left -= len(piece)
        yield piece


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _close_all(connections: deque[HTTPConnection]) -> None:
    while connections:
        connections.pop().close()
