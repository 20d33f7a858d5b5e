"""Clients that are slow, silent or never done, against the web server as `up` starts it: nobody else waits for them."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from portal.deployment import limits, web_server
from tests.house.test_large_bodies import Web
from tests.world.prepared import NewState
from tests.world.programs import until

pytestmark = pytest.mark.process

# More than there are threads.
MANY = web_server.threads * 2 + 8
HEAD = "POST /sign-in/ HTTP/1.1\r\nHost: {}\r\nContent-Length: 500000\r\n\r\n"


@pytest.fixture(scope="module")
def web(new_state: NewState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("slow")
    (folder / "temp").mkdir()
    with Web(new_state(folder / "state"), folder / "temp") as running:
        yield running


@contextlib.contextmanager
def clients(web: Web, number: int, sent: str) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(number):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", web.address.port), timeout=30))
            one.sendall(sent.replace("{}", str(web.address)).encode())
            found.append(one)
        yield found


def page_takes(web: Web) -> float:
    began = time.monotonic()
    assert web.address.answers(str(web.address))
    return time.monotonic() - began


@pytest.mark.parametrize("sent", ["", "GET / HTTP/1.1\r\n", HEAD, HEAD + "x"], ids=["silent", "head", "body", "drop"])
def test_more_slow_clients_than_threads_stop_nobody(web: Web, sent: str) -> None:
    with clients(web, MANY, sent):
        assert max(page_takes(web) for _ in range(5)) < 1


def test_a_kept_connection_that_begins_another_request_stops_nobody(web: Web) -> None:
    whole = "GET /sign-in/ HTTP/1.1\r\nHost: {}\r\n\r\n"
    with clients(web, MANY, whole) as found:
        for one in found:
            assert one.recv(65536).startswith(b"HTTP/1.1 200")
            one.sendall(b"GET / HTTP/1.1\r\n")
        assert max(page_takes(web) for _ in range(5)) < 1


def test_clients_that_leave_an_ended_connection_open_stop_nobody(web: Web) -> None:
    with clients(web, MANY, "GET /sign-in/ HTTP/1.0\r\nHost: {}\r\n\r\n"):
        assert max(page_takes(web) for _ in range(5)) < 1


def test_a_head_that_does_not_end_is_given_up(web: Web) -> None:
    with clients(web, 1, "GET / HTTP/1.1\r\n") as [one]:
        began = time.monotonic()
        assert one.recv(65536).startswith(b"HTTP/1.1 408")
        assert limits.HEAD_SECONDS - 1 < time.monotonic() - began < limits.HEAD_SECONDS + 5


def test_a_head_without_end_is_refused_by_its_size(web: Web) -> None:
    with clients(web, 1, "GET / HTTP/1.1\r\nX: " + "x" * limits.HEAD_BYTES) as [one]:
        assert one.recv(65536).startswith(b"HTTP/1.1 431")


def test_a_request_in_pieces_is_answered(web: Web) -> None:
    with clients(web, 1, "") as [one]:
        for piece in ("GET /sign-in/ HTT", "P/1.1\r\nHost: {}\r", "\nConnection: close\r\n\r", "\n"):
            one.sendall(piece.replace("{}", str(web.address)).encode())
            time.sleep(0.05)
        assert one.recv(65536).startswith(b"HTTP/1.1 200")


def test_two_requests_in_one_piece_are_both_answered(web: Web) -> None:
    whole = "GET /sign-in/ HTTP/1.1\r\nHost: {}\r\n\r\n"
    with clients(web, 1, whole + whole) as [one]:
        received = b""

        def both() -> bool:
            nonlocal received
            received += one.recv(65536)
            return received.count(b"HTTP/1.1 200") == 2

        until(both, 10)


def test_a_form_that_waits_for_a_go_ahead_gets_it(web: Web) -> None:
    with clients(web, 1, HEAD.replace("500000\r\n", "3\r\nExpect: 100-continue\r\n")) as [one]:
        assert one.recv(65536).startswith(b"HTTP/1.1 100")
        one.sendall(b"a=b")
        until(lambda: b"HTTP/1.1 403" in one.recv(65536), 10)
