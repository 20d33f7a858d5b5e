"""Can this server open a secure connection to that one? Tells DNS, network and TLS trouble apart."""

import socket
import ssl
from urllib.parse import urlsplit

from sync.connection_tests.finding import Fact, Finding

CONNECT_SECONDS = 10.0


def reach(url: str, ca_file: str | None) -> Finding:
    """Connect, shake hands, hang up. The fact `protocol` is the TLS version agreed on."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    place: dict[str, Fact] = {"host": host, "port": str(port)}
    request = f"CONNECT {host}:{port}" + (" (TLS)" if secure else "")
    try:
        protocol = _shake_hands(host, port, ca_file) if secure else _knock(host, port)
    except OSError as error:
        return Finding(_code(error), {**place, "detail": _words(error)}, request, answer=_words(error))
    return Finding(facts={**place, "protocol": protocol}, request=request, answer=protocol)


def _knock(host: str, port: int) -> str:
    socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    return "HTTP"


def _shake_hands(host: str, port: int, ca_file: str | None) -> str:
    context = ssl.create_default_context(cafile=ca_file)
    with (
        socket.create_connection((host, port), timeout=CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return (secure.version() or "TLS").replace("TLSv", "TLS ")


def _code(error: OSError) -> str:
    kinds: tuple[tuple[type[OSError], str], ...] = (
        (socket.gaierror, "host-unknown"),
        (TimeoutError, "host-silent"),
        (ssl.SSLCertVerificationError, "host-certificate"),
        (ssl.SSLError, "host-tls"),
    )
    return next((code for kind, code in kinds if isinstance(error, kind)), "host-refused")


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.strerror or str(error) or type(error).__name__
