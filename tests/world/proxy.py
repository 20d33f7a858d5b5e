"""A forward proxy on loopback: real CONNECT tunnels (RFC 9110 section 9.3.6), whose far ends the test chooses."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class ConnectProxy:
    """`far_end`: where every tunnel leads, whatever name was asked for; None: to the host and port that were asked for.

    `asked`: host and port of each CONNECT; `credentials`: its Proxy-Authorization; `seen`: the bytes that clients sent through.
    """

    def __init__(self, far_end: tuple[str, int] | None, answer: bytes | None) -> None:
        self.far_end = far_end
        self.answer = answer
        self.asked: list[str] = []
        self.credentials: list[str | None] = []
        self.seen = bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.sockets: list[socket.socket] = []
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(near)
            self._start(self._serve, near)

    def _start(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        self.threads.append(threading.Thread(target=work, args=arguments))
        self.threads[-1].start()

    def _serve(self, near: socket.socket) -> None:
        """A client that has gone ends its tunnel."""
        with contextlib.suppress(OSError):
            self._tunnel(near)

    def _tunnel(self, near: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (got := near.recv(65536)):
                return
            head += got
        name = head.split()[1].decode()
        self.asked.append(name)
        found = re.search(rb"(?i)\r\nproxy-authorization: ([^\r]*)", head)
        self.credentials.append(found[1].decode() if found else None)
        if self.answer is not None:
            near.sendall(self.answer)
            near.shutdown(socket.SHUT_WR)
            return
        host, _, port = name.rpartition(":")
        far = socket.create_connection(self.far_end or (host, int(port)))
        self.sockets.append(far)
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._start(self._relay, far, near)
        self._relay(near, far, self.seen)

    def _relay(self, source: socket.socket, target: socket.socket, seen: bytearray | None = None) -> None:
        with contextlib.suppress(OSError):
            while got := source.recv(65536):
                if seen is not None:
                    seen += got
                target.sendall(got)
            target.shutdown(socket.SHUT_WR)

    def stop(self) -> None:
        for one in [self.listener, *self.sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(15)
        for one in [self.listener, *self.sockets]:
            one.close()


@contextmanager
def connect_proxy(far_end: tuple[str, int] | None = None, answer: bytes | None = None) -> Iterator[ConnectProxy]:
    """`answer`: what CONNECT is answered in place of a tunnel."""
    running = ConnectProxy(far_end, answer)
    try:
        yield running
    finally:
        running.stop()
