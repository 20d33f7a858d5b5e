"""A mail server that keeps what it gets."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message

from aiosmtpd import handlers
from aiosmtpd.controller import Controller

from tests.world.programs import free_port


class Mails(handlers.Message):
    """`port`: of localhost."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.found: list[Message] = []

    def handle_message(self, message: Message) -> None:
        self.found.append(message)

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.found]


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None) -> Iterator[Mails]:
    mails = Mails()
    server = Controller(mails, hostname="127.0.0.1", port=mails.port, ssl_context=tls)
    server.start()
    try:
        yield mails
    finally:
        server.stop()
