"""How long the sign-in page takes while somebody tries to stop the web server, on this machine and within bounds.

`python3 run.py bench attack [--seconds 15] [--database sqlite|postgres]`: starts the demo, attacks it over loopback in one way after the
other, and asks for the page ten times a second meanwhile. JSON: seconds at the median, the 95th percentile and the worst.
"""

import argparse
import contextlib
import re
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from rig import database, machine, publish

from tests.world.up import Up

STALLED, IDLE, LOOK_UPS, LARGE_MB = 8, 40, 9, 300
PAUSE = 0.1
Attack = Callable[[Up, requests.Session], contextlib.AbstractContextManager[None]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py bench attack", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each attack")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--out", default="", help="also write the JSON there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lockstep-attack-") as folder, database(options.database) as url:
        environment = {"DATABASE_URL": url} if url else {}
        with Up(Path(folder) / "state", "--demo", **environment) as up:
            owner = sign_in(up)
            found = {name: attacked(up, owner, attack, options.seconds) for name, attack in ATTACKS.items()}
    publish({"workload": vars(options), "machine": machine(), "sign_in_page": found}, options.out)


def sign_in(up: Up) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    shown = re.search(r"Sign in: +(\S+) / (\S+)", up.said())
    assert shown
    page = session.get(f"{up.url}/sign-in/", timeout=30).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "login": shown[1], "password": shown[2]}
    answer = session.post(f"{up.url}/sign-in/", data=form, headers={"Origin": up.url}, timeout=30)
    assert "/t/" in answer.url, answer.url
    return session


def attacked(up: Up, owner: requests.Session, attack: Attack, seconds: float) -> dict[str, Any]:
    with attack(up, owner):
        time.sleep(0.5)
        taken = measured(up, seconds)
    return {
        "asked": len(taken),
        "median": round(statistics.median(taken), 3),
        "p95": round(sorted(taken)[int(len(taken) * 0.95)], 3),
        "worst": round(max(taken), 3),
    }


def measured(up: Up, seconds: float) -> list[float]:
    """By new connections, as somebody who comes to the page."""
    taken: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        with requests.Session() as visitor:
            visitor.trust_env = False
            visitor.get(f"{up.url}/sign-in/", timeout=60).raise_for_status()
        taken.append(time.monotonic() - began)
        time.sleep(PAUSE)
    return taken


# The attacks


@contextlib.contextmanager
def nothing(_up: Up, _owner: requests.Session) -> Iterator[None]:
    yield


@contextlib.contextmanager
def connected(up: Up, number: int, head: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection(("127.0.0.1", up.port), timeout=10)) for _ in range(number)
        ]
        for one in sockets:
            one.sendall(head)
        yield sockets


@contextlib.contextmanager
def stalled_heads(up: Up, _owner: requests.Session) -> Iterator[None]:
    with connected(up, STALLED, b"GET / HTTP/1.1\r\n"):
        yield


@contextlib.contextmanager
def slow_bodies(up: Up, _owner: requests.Session) -> Iterator[None]:
    """A byte a second of 500 kB that were announced."""
    head = f"POST /sign-in/ HTTP/1.1\r\nHost: localhost:{up.port}\r\nContent-Length: 500000\r\n\r\n".encode()
    with connected(up, STALLED, head) as sockets, repeated(lambda: drip(sockets), 1.0):
        yield


def drip(sockets: list[socket.socket]) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.sendall(b"x")


@contextlib.contextmanager
def idle_connections(up: Up, _owner: requests.Session) -> Iterator[None]:
    with connected(up, IDLE, b""):
        yield


@contextlib.contextmanager
def never_closed(up: Up, _owner: requests.Session) -> Iterator[None]:
    """Answers that end the connection, to clients that leave it open."""

    def ask() -> None:
        with connected(up, STALLED, f"GET /sign-in/ HTTP/1.0\r\nHost: localhost:{up.port}\r\n\r\n".encode()):
            time.sleep(3)

    with repeated(ask, 0.0):
        yield


@contextlib.contextmanager
def large_body(up: Up, _owner: requests.Session) -> Iterator[None]:
    """300 MB in a form, as fast as they are taken, again and again."""

    def send() -> None:
        head = f"POST /sign-in/ HTTP/1.1\r\nHost: localhost:{up.port}\r\nContent-Length: {LARGE_MB << 20}\r\n\r\n"
        with connected(up, 1, head.encode()) as [one], contextlib.suppress(OSError):
            for _ in range(LARGE_MB):
                one.sendall(b"x" * (1 << 20))

    with repeated(send, 0.1):
        yield


@contextlib.contextmanager
def slow_graph(up: Up, owner: requests.Session) -> Iterator[None]:
    """Microsoft answers after ten seconds, and people go on searching."""
    up.lab("POST", "faults", {"part": "graph", "kind": "delay", "seconds": 10, "times": -1})
    numbers = iter(range(10**6))

    def search() -> None:
        owner.get(f"{up.url}/t/rehearsal/mappings/people/?find=ab{next(numbers)}", timeout=120)

    with contextlib.ExitStack() as stack:
        for _ in range(LOOK_UPS):
            stack.enter_context(repeated(search, 0.1))
        yield
    assert up.lab("GET", "faults")[0]["fired"], "Nobody's search came to Graph."
    up.lab("DELETE", "faults")


@contextlib.contextmanager
def repeated(act: Callable[[], None], pause: float) -> Iterator[None]:
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            act()
            over.wait(pause)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(go_on)
        try:
            yield
        finally:
            over.set()


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (nothing, stalled_heads, slow_bodies, idle_connections, never_closed, large_body, slow_graph)
}

if __name__ == "__main__":
    main()
