"""A mail server and a server that takes webhooks, and the workers that carry messages to them."""

import datetime
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from sync.models import Channel, Delivery, Tenant
from sync.notifications import deliveries, services
from sync.queue import DELIVER
from tests.world.mails import Mails, mail_server
from tests.world.tenant import ACTOR

CANARY = "T0KEN-c4nary-B4D"
Reply = tuple[int, dict[str, str], bytes]


class Receiver(ThreadingHTTPServer):
    """`replies`: what it answers, the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.host = f"localhost:{self.server_port}"
        self.url = f"http://{self.host}/hooks/{CANARY}"
        self.replies: list[Reply] = [(204, {}, b"")]
        self.heads: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    @property
    def messages(self) -> list[Any]:
        return [json.loads(body) for body in self.bodies]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heads.append({name.lower(): value for name, value in self.headers.items()})
        replies = self.server.replies
        status, heads, body = replies.pop(0) if len(replies) > 1 else replies[0]
        self.send_response(status)
        for name, value in heads.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.replace(b"{path}", self.path.encode()))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[Receiver]:
    server = Receiver()
    settings.NOTIFY_HOSTS = [server.host]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def mails(settings: LazySettings) -> Iterator[Mails]:
    with mail_server() as found:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", found.port
        yield found


class Clock:
    """Ahead of whatever a test makes due."""

    def __init__(self) -> None:
        self.now = timezone.now() + datetime.timedelta(minutes=1)

    def __call__(self) -> datetime.datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += datetime.timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


Carry = Callable[[], None]


@pytest.fixture
def carry(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Carry:
    """Two dispatchers look, and two workers get each message that goes through."""
    handed: list[int] = []
    monkeypatch.setattr("sync.queue.send", lambda task, key: handed.append(key) if task == DELIVER else None)

    def work() -> None:
        deliveries.hand_out(clock)
        deliveries.hand_out(clock)
        for key in handed:
            deliveries.deliver(key, clock)
            if Delivery.objects.get(pk=key).state == Delivery.State.SENT:
                deliveries.deliver(key, clock)
        handed.clear()

    return work


def channel(tenant: Tenant, kind: str, to: str, **more: Any) -> Channel:
    return services.add_channel(tenant=tenant, actor=ACTOR, kind=kind, to=to, **more)[0]
