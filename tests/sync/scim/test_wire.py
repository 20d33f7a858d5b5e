"""What reaches the SCIM client over a real socket when a server, or the way to it, misbehaves."""

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sync.scim import client as scim_client
from sync.scim.client import ScimClient
from sync.scim.endpoint import Endpoint, OtherHost, normalise
from sync.scim.errors import BadAnswer, OutcomeUnknown, ServerError, Unreachable
from sync.scim.pacing import Pacer
from tests.world.lab import Lab
from tests.world.raw_server import (
    RawServer,
    closes_after,
    cuts,
    drips,
    drips_packed_nothing,
    hangs_up,
    raw_server,
    sends,
    waits_for_the_client_to_go,
)

USER = sends(b'{"id": "1"}')


@contextlib.contextmanager
def in_thread(work: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join(10)


def asking(host: str, endpoint: Endpoint | None = None, **options: Any) -> ScimClient:
    return ScimClient(
        endpoint or normalise(f"http://{host}/", allowed={host: OtherHost("rfc", plain_http=True)}),
        "token",
        pacer=Pacer(1e9, clock=time.monotonic, sleep=time.sleep),
        sleep=lambda _: None,
        clock=time.monotonic,
        random=lambda: 0.5,
        **options,
    )


def once(server: RawServer, **options: Any) -> ScimClient:
    return asking(server.host, max_attempts=1, **options)


def test_one_connection_serves_request_after_request() -> None:
    """With bodies, without and compressed: a connection that is not drained would be thrown away each time."""
    packed = sends(gzip.compress(b'{"id": "1"}'), "Content-Encoding: gzip")
    empty = sends(b"", status="204 No Content", length=0)
    with raw_server(USER, empty, packed, USER) as server:
        client = asking(server.host)
        assert [client.get_user("1").resource for _ in range(4)] == [{"id": "1"}, None, {"id": "1"}, {"id": "1"}]
        assert server.connections == 1
        client.close()


@pytest.mark.parametrize("script", [drips, drips_packed_nothing])
def test_a_body_that_drips_meets_the_total_limit(script: Any) -> None:
    with raw_server(script) as server:
        client = once(server, read_timeout=5.0, answer_seconds=0.2)
        with pytest.raises(OutcomeUnknown, match="longer than"):
            client.get_user("1")
        client.close()


def test_a_body_that_is_cut_short_is_never_used() -> None:
    with raw_server(cuts, USER) as server:
        client = asking(server.host)
        assert client.get_user("1").attempts == 2
        client.close()


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_that_is_too_large_is_refused_also_when_it_was_packed(
    packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scim_client, "MAX_ANSWER_BYTES", 100_000)
    body = b" " * 200_000
    script = sends(gzip.compress(body), "Content-Encoding: gzip") if packed else sends(body)
    with raw_server(script) as server:
        client = once(server)
        with pytest.raises(BadAnswer, match="larger than"):
            client.get_user("1")
        client.close()


@pytest.mark.parametrize("script", [hangs_up, cuts])
def test_a_create_without_a_whole_answer_is_unknown_and_sent_once(script: Any) -> None:
    with raw_server(script, USER) as server:
        client = asking(server.host)
        with pytest.raises(OutcomeUnknown):
            client.create_user({"userName": "a"})
        assert client.counts["POST"] == 1
        client.close()


def test_a_create_that_met_no_listener_was_certainly_not_applied() -> None:
    with raw_server() as server:
        host = server.host
    client = asking(host, max_attempts=1)
    with pytest.raises(Unreachable):
        client.create_user({"userName": "a"})


@pytest.mark.parametrize("goes", [waits_for_the_client_to_go, hangs_up])
def test_a_handshake_that_does_not_come_about_has_sent_nothing(goes: Any) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listener.getsockname()[1]}"

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            goes(connection)

    with listener, in_thread(answer):
        client = asking(
            host, normalise(f"https://{host}/", allowed={host: OtherHost("rfc")}), max_attempts=1, connect_timeout=0.2
        )
        with pytest.raises(Unreachable):
            client.create_user({"userName": "a"})


def test_a_ca_file_that_is_not_there_has_sent_nothing() -> None:
    endpoint = normalise("https://127.0.0.1:1/", allowed={"127.0.0.1:1": OtherHost("rfc", ca_file="/no/such/file")})
    with pytest.raises(Unreachable, match="No such file"):
        asking(endpoint.host, endpoint, max_attempts=1).create_user({"userName": "a"})


def test_an_answer_that_does_not_come_is_unknown() -> None:
    with raw_server(waits_for_the_client_to_go) as server:
        client = once(server, read_timeout=0.2)
        with pytest.raises(OutcomeUnknown, match="timed out"):
            client.create_user({"userName": "a"})
        client.close()


@pytest.mark.parametrize("bye", [b"", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"])
def test_a_kept_connection_that_the_server_has_closed_is_not_used_again(bye: bytes) -> None:
    """A POST on it would end as unknown."""

    def says_goodbye(connection: socket.socket) -> None:
        USER(connection)
        connection.sendall(bye)

    with raw_server(closes_after(says_goodbye), USER) as server:
        client = once(server)
        client.get_user("1")
        server.threads[1].join(10)
        assert client.create_user({"userName": "a"}).attempts == 1
        assert server.connections == 2
        client.close()


def test_a_connection_that_the_answer_ends_is_not_used_again() -> None:
    with raw_server(sends(b'{"id": "1"}', "Connection: close"), USER) as server:
        client = once(server)
        client.get_user("1")
        assert client.create_user({"userName": "a"}).attempts == 1
        assert server.connections == 2
        client.close()


def test_an_answer_in_chunks_keeps_its_connection() -> None:
    def chunked(connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b'5\r\n{"id"\r\n6\r\n: "1"}\r\n0\r\n\r\n')

    with raw_server(chunked, USER) as server:
        client = once(server)
        assert [client.get_user("1").resource for _ in range(2)] == [{"id": "1"}, {"id": "1"}]
        assert server.connections == 1
        client.close()


def test_a_packed_body_that_is_broken_is_never_used() -> None:
    with raw_server(sends(b"no gzip", "Content-Encoding: gzip")) as server:
        client = once(server)
        with pytest.raises(OutcomeUnknown):
            client.get_user("1")
        client.close()


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with raw_server(sends(b"", "Location: /elsewhere", status="302 Found"), USER) as server:
        client = once(server)
        with pytest.raises(BadAnswer):
            client.get_user("1")
        assert len(server.heads) == 1
        client.close()


def test_a_busy_answer_is_not_repeated_by_the_library() -> None:
    with raw_server(sends(b"", "Retry-After: 0", status="503 Busy"), USER) as server:
        client = once(server)
        with pytest.raises(ServerError):
            client.get_user("1")
        assert len(server.heads) == 1
        client.close()


def test_a_cookie_is_not_sent_back() -> None:
    with raw_server(sends(b'{"id": "1"}', "Set-Cookie: a=b"), USER) as server:
        client = once(server)
        for _ in range(2):
            client.get_user("1")
        assert not any(b"cookie" in head.lower() for head in server.heads)
        client.close()


def test_a_client_that_was_closed_connects_anew() -> None:
    with raw_server(USER, USER) as server:
        client = once(server)
        for _ in range(2):
            client.get_user("1")
            client.close()
        assert server.connections == 2


def test_a_certificate_that_nobody_vouches_for_ends_before_the_request(tmp_path_factory: Any) -> None:
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        endpoint = normalise(lab.facts["scim_endpoint"], allowed={lab.scim_host: OtherHost("aws", ca_file=None)})
        client = asking(lab.scim_host, endpoint, max_attempts=1)
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            client.create_user({"userName": "a"})
        assert lab.requests() == []
