"""Posting to servers that others name: to public ones only, in bounded time, and never more is read than the beginning."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings

from sync.connection import outbound
from sync.connection.outbound import NotSent, check_destination, post, post_to_named

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x", "ftp://hooks.example.com", "hooks.example.com", "https://", "https://jo:pw@hooks.example.com/",
        "https://hooks.example.com/#x", "https://hooks.example.com/\nx", "https://hooks.example.com/" + "x" * 1000,
        "https://localhost/x", "https://a.localhost/x", "https://intranet/x", "https://127.0.0.1/x", "https://10.1.2.3/x", "https://172.16.0.1/x",
        "https://192.168.0.1:8443/x", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/", "https://100.64.0.1/",
        "https://[::1]/x", "https://[fe80::1]/", "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/", "https://[2002:a00:1::]/", "https://224.0.0.1/",
        "http://localhost:9/x",
    ],
)  # fmt: skip
def test_what_is_no_public_https_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"Enter|not public"):
        check_destination(url)


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/x?a=b", "https://93.184.215.14:8443/", "https://[2606:4700::1]/"]
)
def test_a_public_https_address_is_taken(url: str) -> None:
    assert check_destination(url) in url


def test_the_deployment_may_name_others(settings: LazySettings) -> None:
    settings.NOTIFY_HOSTS = ["siem.intranet:8443", "localhost:9", "intranet"]
    assert check_destination("https://siem.intranet:8443/x") == "siem.intranet:8443"
    assert check_destination("http://localhost:9/x") == "localhost:9"
    with pytest.raises(ValueError, match="https"):
        check_destination("http://intranet/x")
    with pytest.raises(ValueError, match="not public"):
        check_destination("https://localhost/x")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def leads_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """What evil.example leads to, look-up by look-up; the last one for ever."""
    resolve, left = socket.getaddrinfo, list(addresses)

    def answer(host: str, *rest: Any, **more: Any) -> Any:
        if host == "evil.example":
            host = left.pop(0) if len(left) > 1 else left[0]
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_name_that_leads_to_a_private_address_is_not_knocked_at(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing tells an open port from a closed one."""
    leads_to(monkeypatch, "127.0.0.1")
    for port in (listener.getsockname()[1], 1):
        with pytest.raises(NotSent, match="not public"):
            post_to_named(f"https://evil.example:{port}/x", b"{}", {})
    listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_name_that_leads_elsewhere_a_moment_later_is_not_spoken_to(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding."""
    leads_to(monkeypatch, "93.184.215.14", "127.0.0.1")
    with pytest.raises(NotSent, match="not public"):
        post_to_named(f"https://evil.example:{listener.getsockname()[1]}/x", b"{}", {})
    reached, _address = listener.accept()
    with reached:
        assert reached.recv(100) == b""


def test_a_name_that_nobody_knows_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: Any, **_more: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSent, match="cannot be reached"):
        post_to_named("https://evil.example/x", b"{}", {})


def serve(listener: socket.socket, first: bytes, drip: bytes, times: int) -> threading.Thread:
    def answer() -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(first)
            for _ in range(times):
                try:
                    connection.sendall(drip)
                except OSError:
                    return
                time.sleep(0.02)

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_a_server_that_drips_its_answer_is_given_up(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, first: bytes
) -> None:
    monkeypatch.setattr(outbound, "WHOLE_SECONDS", 0.2)
    thread = serve(listener, first, b"x", 200)
    with pytest.raises(NotSent, match="in time"):
        post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {})
    thread.join(5)
    assert not thread.is_alive()


def test_of_an_endless_answer_the_beginning_is_read(listener: socket.socket) -> None:
    thread = serve(listener, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000, b"x" * 1000, 20)
    answer = post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {})
    assert (answer.status, answer.text) == (200, "x" * 500)
    thread.join(5)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
    ],
    ids=["no gzip", "no chunks", "breaks off"],
)
def test_the_status_holds_whatever_follows_it(listener: socket.socket, answer: bytes) -> None:
    """Who said 200 has it, and does not want it once more."""
    thread = serve(listener, answer, b"", 0)
    assert post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {}).ok
    thread.join(5)


def test_a_redirect_to_no_address_is_no_answer(listener: socket.socket) -> None:
    thread = serve(listener, b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n", b"", 0)
    with pytest.raises(NotSent):
        post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {})
    thread.join(5)


def test_what_is_no_http_is_no_answer(listener: socket.socket) -> None:
    thread = serve(listener, b"\x00\xff garbage\r\n\r\n", b"", 0)
    with pytest.raises(NotSent, match="cannot be reached"):
        post(f"http://127.0.0.1:{listener.getsockname()[1]}/s3cret", b"{}", {})
    thread.join(5)
