"""Can this server open a secure connection to that one? Tells DNS, network, proxy and TLS trouble apart."""

import socket
import ssl
from base64 import b64encode
from http.client import HTTPConnection, HTTPException
from urllib.parse import unquote, urlsplit

from sync.connection.checks.finding import CheckFinding, Fact

CONNECT_SECONDS = 10.0


class _Failed(Exception):
    """`code`: of outcomes.OUTCOMES; the text is what the operating system, or the proxy, said."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


def reach(url: str, ca_file: str | None, proxy: str | None) -> CheckFinding:
    """Connect, shake hands, hang up. The fact `protocol` is the TLS version agreed on."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    place: dict[str, Fact] = {"host": host, "port": str(port), "proxy": _shown(proxy), "file": ca_file or ""}
    request = f"CONNECT {host}:{port}" + (" (TLS)" if secure else "") + (f" by proxy {_shown(proxy)}" if proxy else "")
    try:
        protocol = _shake_hands(host, port, ca_file, proxy) if secure else _knock(host, port)
    except _Failed as error:
        return CheckFinding(error.code, {**place, "detail": str(error)}, request, answer=str(error))
    except OSError as error:
        return CheckFinding(_code(error), {**place, "detail": _words(error)}, request, answer=_words(error))
    return CheckFinding(facts={**place, "protocol": protocol}, request=request, answer=protocol)


def _shown(proxy: str | None) -> str:
    """Without name and password."""
    return urlsplit(proxy).netloc.rpartition("@")[2] if proxy else ""


def _knock(host: str, port: int) -> str:
    socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    return "HTTP"


def _shake_hands(host: str, port: int, ca_file: str | None, proxy: str | None) -> str:
    context = _context(ca_file)
    with (
        _connected(host, port, proxy) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return (secure.version() or "TLS").replace("TLSv", "TLS ")


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise _Failed("ca-file-unreadable", _words(error)) from None


def _connected(host: str, port: int, proxy: str | None) -> socket.socket:
    if proxy is None:
        return socket.create_connection((host, port), timeout=CONNECT_SECONDS)
    parts = urlsplit(proxy)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS)
    connection.set_tunnel(host, port, _authorization(parts.username, parts.password))
    try:
        connection.connect()
    except (OSError, HTTPException) as error:
        connection.close()
        raise _Failed(_proxy_code(error), _words(error)) from None
    return connection.sock


def _authorization(name: str | None, password: str | None) -> dict[str, str]:
    """RFC 7617."""
    if name is None:
        return {}
    pair = f"{unquote(name)}:{unquote(password or '')}".encode("latin-1")
    return {"Proxy-Authorization": f"Basic {b64encode(pair).decode()}"}


def _proxy_code(error: Exception) -> str:
    """http.client raises a bare OSError, without a number, when a proxy answers CONNECT with anything but 200."""
    out_of_reach = isinstance(error, OSError) and (error.errno is not None or isinstance(error, TimeoutError))
    return "proxy-unreachable" if out_of_reach else "proxy-refused"


def _code(error: OSError) -> str:
    kinds: tuple[tuple[type[OSError], str], ...] = (
        (socket.gaierror, "host-unknown"),
        (TimeoutError, "host-silent"),
        (ssl.SSLCertVerificationError, "host-certificate"),
        (ssl.SSLError, "host-tls"),
    )
    return next((code for kind, code in kinds if isinstance(error, kind)), "host-refused")


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
