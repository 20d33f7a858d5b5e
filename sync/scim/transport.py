"""HTTP/1.1 to a single host by urllib3's connection pool: no redirects, no retries, no cookies, answers that are bounded.

urllib3 tells apart neither a failed handshake from a connection that broke later, nor a proxy's refusal from a lost answer.
Whatever fails while a connection is being made has sent nothing: only there NotSent is raised.
"""

import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ClosedPoolError, HTTPError
from urllib3.util import make_headers, parse_url

PIECE = 65536
# More than a run or a comparison has threads: a connection without a place in the pool is closed after its answer.
KEPT_CONNECTIONS = 32
NEVER = Retry(False)


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
    """`headers` are found in any case of letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class OneHost:
    """Thread safe: each exchange has a connection of its own. `base`: scheme and host; a path is not looked at.

    `proxy`: http://user:password@host:port of a forward proxy that tunnels; for https only."""

    def __init__(
        self,
        base: str,
        ca_file: str | None,
        proxy: str | None = None,
        *,
        connect_timeout: float,
        read_timeout: float,
        answer_seconds: float,
        answer_bytes: int,
    ) -> None:
        self.base = base
        self.ca_file = ca_file
        self.proxy = proxy
        self.timeout = Timeout(connect=connect_timeout, read=read_timeout)
        self.answer_seconds = answer_seconds
        self.answer_bytes = answer_bytes
        self.pool: HTTPConnectionPool | None = None
        self._opening = threading.Lock()

    def close(self) -> None:
        pool, self.pool = self.pool, None
        if pool is not None:
            pool.close()

    def exchange(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Raw:
        """Raises NotSent, TooLarge and Lost."""
        try:
            response = self._opened().urlopen(
                method,
                target,
                body,
                headers,
                retries=NEVER,
                redirect=False,
                timeout=self.timeout,
                preload_content=False,
            )
        except ClosedPoolError as error:
            raise NotSent(_words(error)) from None
        except (HTTPError, HTTPException, OSError) as error:
            raise Lost(_words(error)) from None
        # Leaving before the end of the answer closes its connection; at the end it has gone back to the pool.
        with response:
            try:
                return Raw(response.status, response.headers, self._content(response))
            except (HTTPError, HTTPException, OSError, zlib.error) as error:
                raise Lost(_words(error), response.status) from None

    def _opened(self) -> HTTPConnectionPool:
        """Made at the first exchange: a CA file that cannot be read is a connection that did not come about."""
        with self._opening, _nothing_sent():
            if self.pool is None:
                self.pool = _manager(self.ca_file, self.proxy).connection_from_url(self.base)
            return self.pool

    def _content(self, response: BaseHTTPResponse) -> bytes:
        """Bounded in size (unpacked) and time: a read timeout starts anew with each byte of a server that drips."""
        began, size = time.monotonic(), 0
        pieces: list[bytes] = []
        unpack = _unpacker(response)
        # urllib3 would unpack too, but waits for a piece with content: packed nothing may drip for ever.
        while piece := response.read1(PIECE, decode_content=False):
            plain = unpack.decompress(piece, self.answer_bytes - size + 1) if unpack else piece
            size += len(plain)
            if size > self.answer_bytes:
                raise TooLarge(f"The answer is larger than {self.answer_bytes} bytes.", response.status)
            if time.monotonic() - began > self.answer_seconds:
                raise Lost(f"The answer took longer than {self.answer_seconds:.0f} s.", response.status)
            pieces.append(plain)
        return b"".join(pieces)


@contextmanager
def _nothing_sent() -> Iterator[None]:
    try:
        yield
    except (HTTPError, HTTPException, OSError, UnicodeError) as error:
        raise NotSent(_words(error)) from None


class _Plain(HTTPConnection):
    def connect(self) -> None:
        with _nothing_sent():
            super().connect()


class _Secure(HTTPSConnection):
    def connect(self) -> None:
        """The way to a proxy, its answer to CONNECT and the TLS handshake included."""
        with _nothing_sent():
            super().connect()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def _manager(ca_file: str | None, proxy: str | None) -> PoolManager:
    options: dict[str, Any] = {
        "maxsize": KEPT_CONNECTIONS,
        "ssl_context": ssl.create_default_context(cafile=ca_file or DEFAULT_CA_BUNDLE_PATH),
        # Behind a proxy urllib3 leaves Nagle's algorithm on: a body would wait until its head is acknowledged.
        "socket_options": HTTPConnection.default_socket_options,
    }
    manager = PoolManager(**options) if proxy is None else _proxy_manager(proxy, options)
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return manager


def _proxy_manager(proxy: str, options: dict[str, Any]) -> ProxyManager:
    """Name and password go into a header: urllib3 does not look for them, and quotes the URL in its errors."""
    parts = parse_url(proxy)
    headers = make_headers(proxy_basic_auth=unquote(parts.auth)) if parts.auth else {}
    return ProxyManager(parts._replace(auth=None).url, proxy_headers=headers, **options)


def _unpacker(response: BaseHTTPResponse) -> Any:
    """For gzip and zlib; None for what is not packed."""
    packed = response.headers.get("Content-Encoding", "").lower() in ("gzip", "deflate")
    return zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None


def _words(error: Exception) -> str:
    """The cause's: urllib3 wraps it in sentences of its own."""
    cause = error.__cause__ or error.__context__ or error
    return str(cause) or type(cause).__name__
