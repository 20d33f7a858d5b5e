"""One attempt of a delivery, by the kind of its channel."""

import base64
import datetime
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext_noop

from sync.connection.outbound import Answer, post_to_named
from sync.connection.sealed import channel_context
from sync.connection.sealing import unseal
from sync.models import Channel, Delivery

JSON_TYPE = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Lockstep"}
# Of Slack's text objects (block kit reference, section), and of its blocks in a message: with one more it refuses the whole.
MOST_OF_SLACK, MOST_BLOCKS = 3000, 50
# Stored as they stand, beside what other sides say; pages say them in the reader's language.
A_LINE = gettext_noop("It is a line of the log: there is no SMTP_HOST.")
TAKEN = gettext_noop("The mail server took it.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`error`: why it was not taken. `status`: of HTTP. `wait`: seconds that the other side asks for."""

    answer: str
    status: int | None = None
    error: str = ""
    wait: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """What is sealed of a channel. `secret`: of webhooks."""

    url: str
    secret: str = ""


# A part of an address with fewer letters is none to keep.
SECRET = 6


def send(delivery: Delivery, now: datetime.datetime) -> Outcome:
    """Raises whatever goes wrong on the way."""
    kind = Channel.Kind(delivery.channel.kind) if delivery.channel else Channel.Kind.EMAIL
    return SENDERS[kind](delivery, now)


def open_channel(channel: Channel) -> Opened:
    """Raises CannotOpen."""
    return Opened(**json.loads(unseal(channel.sealed, channel_context(channel))))


def _mail(delivery: Delivery, _now: datetime.datetime) -> Outcome:
    mail = EmailMessage(delivery.subject, delivery.body, to=[delivery.recipient], headers=_headers(delivery))
    mail.send()
    if goes_nowhere():
        return Outcome(A_LINE)
    return Outcome(TAKEN)


def goes_nowhere() -> bool:
    """Without a mail server a mail is a line of the log."""
    return settings.EMAIL_BACKEND == "portal.deployment.json_logs.MailBackend"


def _headers(delivery: Delivery) -> dict[str, str]:
    """The same id at each attempt: whoever gets it twice can see that it is one. Mails of one incident are one thread
    (RFC 5322 section 3.6.4)."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    headers = {"Message-ID": f"<lockstep-{delivery.pk}-{int(delivery.created_at.timestamp())}@{domain}>"}
    if incident := delivery.incidents.first():
        headers["References"] = f"<lockstep-incident-{incident.pk}-{int(incident.opened_at.timestamp())}@{domain}>"
    return headers


def _webhook(delivery: Delivery, now: datetime.datetime) -> Outcome:
    opened = open_channel(_channel_of(delivery))
    body = delivery.body.encode()
    return _post(opened, body, signature_headers(delivery, opened.secret, body, now))


def signature_headers(delivery: Delivery, secret: str, body: bytes, now: datetime.datetime) -> dict[str, str]:
    """Standard Webhooks 1.0: one id for all attempts, the time of this one, HMAC-SHA256 over `id.timestamp.body`."""
    identity = f"msg_{delivery.pk}_{int(delivery.created_at.timestamp() * 1_000_000)}"
    timestamp = str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{identity}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(signed).decode()}"
    return {"webhook-id": identity, "webhook-timestamp": timestamp, "webhook-signature": signature}


def _slack(delivery: Delivery, _now: datetime.datetime) -> Outcome:
    """Plain text throughout: nothing in a name becomes a link or a mention (Slack, "Formatting text")."""
    escaped = delivery.subject.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    texts = [text for text in (delivery.subject, *delivery.body.split("\n\n")) if text]
    if len(texts) > MOST_BLOCKS:
        texts[MOST_BLOCKS - 1 :] = ["\n\n".join(texts[MOST_BLOCKS - 1 :])]
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": text[:MOST_OF_SLACK]}} for text in texts]
    return _post(open_channel(_channel_of(delivery)), json.dumps({"text": escaped, "blocks": blocks}).encode(), {})


def _teams(delivery: Delivery, _now: datetime.datetime) -> Outcome:
    """An adaptive card, as a workflow's *When a Teams webhook request is received* takes it. Text runs know no Markdown."""
    first = {"type": "TextRun", "text": delivery.subject, "weight": "Bolder"}
    runs = [first, *({"type": "TextRun", "text": text} for text in delivery.body.split("\n\n") if text)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "RichTextBlock", "inlines": [run]} for run in runs],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    body = json.dumps({"type": "message", "attachments": [attachment]}).encode()
    return _post(open_channel(_channel_of(delivery)), body, {})


def _channel_of(delivery: Delivery) -> Channel:
    assert delivery.channel is not None, "a delivery without a channel is a mail"
    return delivery.channel


def _post(opened: Opened, body: bytes, headers: Mapping[str, str]) -> Outcome:
    answer = post_to_named(opened.url, body, {**JSON_TYPE, **headers})
    said = _without_address(answer.text, opened.url)
    if answer.ok:
        return Outcome(said, answer.status)
    return Outcome(said, answer.status, f"it answered {answer.status}", _wait(answer))


def _without_address(text: str, url: str) -> str:
    """An answer may quote the address, which is a secret: whole, or the path, or a part of it."""
    parts = urlsplit(url)
    pieces = [url, f"{parts.path}?{parts.query}", parts.path, parts.query, *parts.path.split("/")]
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= SECRET:
            text = _without_beginning(text.replace(piece, "…"), piece)
    return text


def _without_beginning(text: str, piece: str) -> str:
    """Of an answer only the first part is read: it may end within the piece."""
    for length in range(min(len(piece), len(text)), SECRET - 1, -1):
        if text.endswith(piece[:length]):
            return f"{text[:-length]}…"
    return text


def _wait(answer: Answer) -> int:
    return int(answer.retry_after) if answer.retry_after.isascii() and answer.retry_after.isdigit() else 0


SENDERS: Mapping[Channel.Kind, Callable[[Delivery, datetime.datetime], Outcome]] = {
    Channel.Kind.EMAIL: _mail,
    Channel.Kind.WEBHOOK: _webhook,
    Channel.Kind.SLACK: _slack,
    Channel.Kind.TEAMS: _teams,
}
