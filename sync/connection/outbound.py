"""Posting to servers that the deployment or an admin names: by the deployment's proxy, under its authorities."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from sync.connection.addresses import is_public
from sync.connection.clients import proxy_to
from sync.connection.loopback import is_loopback

# Seconds to connect, and without an answer.
TIMEOUT = (5, 20)
# From the connection on until the answer is read, however slowly it comes.
WHOLE_SECONDS = 30
MOST_TEXT = 500
MOST_URL, MOST_HOST = 1000, 255


class NotSent(Exception):
    """There was no answer; the text says why, and holds no part of the address beyond the host."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`text`: its beginning."""

    status: int
    text: str
    retry_after: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def check_destination(url: str) -> str:
    """The host (and port) of an address that an admin enters. Raises ValueError with the sentence to show.

    HTTPS to public addresses, and whatever the deployment names (NOTIFY_HOSTS), this machine without TLS too."""
    parts = urlsplit(url)
    named = parts.netloc in settings.NOTIFY_HOSTS
    plain = parts.scheme == "http" and named and is_loopback(parts.hostname or "")
    if (
        not parts.hostname
        or not (parts.scheme == "https" or plain)
        or len(url) > MOST_URL
        or len(parts.netloc) > MOST_HOST
        or not url.isprintable()
    ):
        raise ValueError(_("Enter the whole address, beginning with https://."))
    if "@" in parts.netloc or parts.fragment:
        raise ValueError(_("Enter the address without a user name, a password or a #."))
    if not named and not _may_be_public(parts.hostname):
        raise ValueError(_("This address is not public. Whoever runs Lockstep can allow it: NOTIFY_HOSTS."))
    return parts.netloc


def _may_be_public(host: str) -> bool:
    """A name is looked at again when it is reached: it may lead elsewhere by then."""
    try:
        return is_public(host.strip("[]"))
    except ValueError:
        return "." in host and not is_loopback(host)


def post_to_named(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """To an address that an admin entered. Raises NotSent."""
    try:
        named = check_destination(url) in settings.NOTIFY_HOSTS
    except ValueError as error:
        raise NotSent(str(error)) from error
    # A proxy looks names up by itself, and decides whom it reaches.
    return post(url, body, headers, public_only=not named and proxy_to(url) is None)


def post(url: str, body: bytes, headers: Mapping[str, str], *, public_only: bool = False) -> Answer:
    """Follows no redirect: it would lead anywhere. Raises NotSent."""
    with requests.Session() as session, _watch(session, public_only=public_only) as watch:
        # The process environment has no say, as with Microsoft (sync/graph/session.py).
        session.trust_env = False
        session.verify = settings.OUTBOUND_CA_FILE or True
        if proxy := proxy_to(url):
            session.proxies = {"https": proxy}
        try:
            with session.post(
                url, data=body, headers=dict(headers), timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as response:
                found = Answer(response.status_code, _beginning(response), response.headers.get("Retry-After", "")[:40])
        # A redirect that is no address is a ValueError, though nobody follows it.
        except (requests.RequestException, OSError, ValueError) as error:
            raise NotSent("no answer in time" if watch.ended else _reason(error)) from error
    if watch.ended:
        # What was cut off in its head reads as an answer to the library.
        raise NotSent("no answer in time")
    return found


class _Watch(HTTPAdapter):
    """Sees each connection before anything is said on it, and ends it when its time is up: a server that sends a byte now
    and then meets no other limit."""

    def __init__(self, *, public_only: bool) -> None:
        super().__init__()
        self.public_only = public_only
        self.ended = False
        self.open: list[tuple[socket.socket, threading.Timer]] = []

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _watched(pool.ConnectionCls, self.connecting, self.connected)
        return pool

    def connecting(self, host: str, port: int) -> None:
        """Whether a private address answers would say what listens there. Its name is looked up once more to connect: `connected`
        sees what that led to."""
        if self.public_only:
            _require_public(
                found[4][0] for found in socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
            )

    def connected(self, connection: socket.socket) -> None:
        if self.public_only:
            try:
                _require_public([connection.getpeername()[0]])
            except NotSent:
                connection.close()
                raise
        # TLS takes the socket itself away.
        handle = connection.dup()
        timer = threading.Timer(WHOLE_SECONDS, self._end, [handle])
        timer.daemon = True
        timer.start()
        self.open.append((handle, timer))

    def _end(self, handle: socket.socket) -> None:
        self.ended = True
        with contextlib.suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        for handle, timer in self.open:
            timer.cancel()
            handle.close()


@contextlib.contextmanager
def _watch(session: requests.Session, *, public_only: bool) -> Iterator[_Watch]:
    watch = _Watch(public_only=public_only)
    session.mount("https://", watch)
    session.mount("http://", watch)
    try:
        yield watch
    finally:
        watch.forget()


def _require_public(addresses: Iterable[Any]) -> None:
    """Raises NotSent."""
    if not all(is_public(str(address)) for address in addresses):
        raise NotSent("its name leads to an address that is not public")


def _watched(kind: Any, connecting: Callable[[str, int], None], connected: Callable[[socket.socket], None]) -> Any:
    class Watched(kind):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            connecting(self._dns_host, self.port)
            connection: socket.socket = super()._new_conn()
            connected(connection)
            return connection

    return Watched


def _beginning(response: requests.Response) -> str:
    """Never more than this is read, however much is sent. The status holds though what follows it breaks off or is garbage."""
    try:
        raw = response.raw.read(MOST_TEXT, decode_content=True)
    except HTTPError:
        return ""
    return str(raw.decode("utf-8", "replace")) if raw else ""


def _reason(error: Exception) -> str:
    """The URL may hold a secret, and the library's own words quote it."""
    match error:
        case requests.exceptions.ProxyError():
            return "the proxy does not answer or refuses"
        case requests.exceptions.SSLError():
            return "its certificate is not trusted"
        case requests.exceptions.ConnectTimeout():
            return "it cannot be reached in time"
        case requests.exceptions.Timeout():
            return "no answer in time"
        case requests.exceptions.ConnectionError():
            return "it cannot be reached"
        case _:
            return type(error).__name__
