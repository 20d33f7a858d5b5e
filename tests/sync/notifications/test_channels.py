"""Channels at real receivers: a mail server, and servers that take webhooks, are away, slow, or answer garbage."""

import base64
import datetime
import hashlib
import hmac
import threading
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from sync.connection import outbound, rotation
from sync.keyring import new_ring_line
from sync.models import AuditEntry, Channel, Delivery, DeliveryAttempt, Incident, Tenant, Word
from sync.notifications import deliveries, queries, services
from sync.notifications.kinds import KINDS, kind_of
from sync.notifications.outbox import Event, News, tell
from sync.notifications.outbox import Message as Words
from tests.world.mails import Mails
from tests.world.receivers import CANARY, Carry, Clock, Handler, Receiver, Reply, channel
from tests.world.tenant import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)


def incident(tenant: Tenant, kind: str) -> Incident:
    return Incident.objects.create(tenant=tenant, code="rejected", kind=kind, attribute=kind, opened_at=timezone.now())


def words(heard: Any) -> Words:
    return Words(f"{heard[0].event} {heard[0].incident.kind}", ["Why.", "What to do."])


def say(incident: Incident, event: Event) -> None:
    tell([News(incident, event, objects=3)], words)


def test_a_channel_hears_of_its_kinds_alone(tenant: Tenant, receiver: Receiver, mails: Mails, carry: Carry) -> None:
    channel(tenant, "email", "ops@acme.example", kinds=["held"])
    channel(tenant, "webhook", receiver.url, kinds=["not-ready"])
    for one in KINDS:
        say(incident(tenant, one.name), Event.OPENED)
    carry()
    assert mails.subjects == ["opened held"]
    assert [one["data"]["incident"]["kind"] for one in receiver.messages] == ["not-ready"]


def test_of_many_workers_at_once_one_sends(tenant: Tenant, receiver: Receiver) -> None:
    channel(tenant, "webhook", receiver.url)
    say(incident(tenant, "held"), Event.OPENED)
    key, together = Delivery.objects.get().pk, threading.Barrier(4)

    def work() -> None:
        together.wait()
        try:
            deliveries.deliver(key)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(receiver.bodies) == 1


def test_a_channel_that_is_off_hears_nothing(tenant: Tenant, receiver: Receiver, carry: Carry) -> None:
    channel(tenant, "webhook", receiver.url, on=False)
    say(incident(tenant, "held"), Event.OPENED)
    carry()
    assert receiver.bodies == []


def test_another_tenants_channel_hears_nothing(tenant: Tenant, receiver: Receiver, carry: Carry) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    channel(other, "webhook", receiver.url)
    say(incident(tenant, "held"), Event.OPENED)
    assert Delivery.objects.count() == 0


def test_a_webhook_is_signed_as_standard_webhooks(tenant: Tenant, receiver: Receiver, carry: Carry) -> None:
    """Verified as the specification says, with the secret as it was shown."""
    _channel, secret = services.add_channel(tenant=tenant, actor=ACTOR, kind="webhook", to=receiver.url)
    receiver.replies = [(500, {}, b""), (200, {}, b"")]
    say(incident(tenant, "held"), Event.OPENED)
    carry()
    Delivery.objects.update(due_at=timezone.now())
    carry()
    assert secret.startswith("whsec_")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert 24 <= len(key) <= 64
    for head, body in zip(receiver.heads, receiver.bodies, strict=True):
        signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert head["webhook-signature"] == f"v1,{expected}"
        assert abs(int(head["webhook-timestamp"]) - timezone.now().timestamp()) < 90
        assert head["content-type"].startswith("application/json")
    assert len({head["webhook-id"] for head in receiver.heads}) == 1
    assert receiver.bodies[0] == receiver.bodies[1]


def test_a_receiver_that_is_away_for_an_hour_gets_it_once_when_it_is_back(
    tenant: Tenant, settings: LazySettings, receiver: Receiver, carry: Carry, clock: Clock
) -> None:
    channel(tenant, "webhook", receiver.url)
    Channel.objects.update(host="localhost:1")
    settings.NOTIFY_HOSTS = ["localhost:1"]
    gone = channel(tenant, "webhook", "http://localhost:1/x")
    Channel.objects.exclude(pk=gone.pk).update(on=False)
    say(incident(tenant, "held"), Event.OPENED)
    for _ in range(60):
        carry()
        clock.forward(minutes=1)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.error) == ("waiting", 4, "it cannot be reached")
    settings.NOTIFY_HOSTS = [receiver.host]
    services.save_channel(channel=gone, actor=ACTOR, name="", to=receiver.url, kinds=[], on=True)
    for _ in range(120):
        carry()
        clock.forward(minutes=1)
    delivery.refresh_from_db()
    assert (delivery.state, len(receiver.bodies)) == ("sent", 1)


def test_a_receiver_that_drips_ends_in_time_and_is_tried_again(
    tenant: Tenant, receiver: Receiver, carry: Carry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "TIMEOUT", (1, 0.2))
    answer = threading.Event()
    monkeypatch.setattr(Handler, "do_POST", lambda _self: answer.wait(5))
    channel(tenant, "webhook", receiver.url)
    say(incident(tenant, "held"), Event.OPENED)
    carry()
    answer.set()
    assert (Delivery.objects.get().state, Delivery.objects.get().error) == ("waiting", "no answer in time")


@pytest.mark.parametrize(
    ("reply", "state", "status"),
    [
        ((200, {}, b"\x00\xff<html>" + b"x" * 5000), "sent", 200),
        ((302, {"Location": "http://localhost:1/elsewhere"}, b""), "waiting", 302),
        ((404, {}, b"no {path} here"), "waiting", 404),
        ((500, {"Content-Type": "text/html"}, b"<h1>\x00</h1>" * 1000), "waiting", 500),
        ((200, {"Content-Encoding": "gzip"}, b"no gzip"), "sent", 200),
        ((503, {"Retry-After": "9" * 40, "Content-Length": "9"}, b"short"), "waiting", 503),
    ],
)
def test_garbage_is_kept_in_part_and_never_believed(
    tenant: Tenant, receiver: Receiver, carry: Carry, reply: Reply, state: str, status: int
) -> None:
    channel(tenant, "webhook", receiver.url)
    receiver.replies = [reply]
    say(incident(tenant, "held"), Event.OPENED)
    carry()
    assert Delivery.objects.get().state == state
    tried = DeliveryAttempt.objects.get()
    assert (tried.status, len(tried.answer) <= 500) == (status, True)
    assert len(receiver.bodies) == 1


@pytest.mark.parametrize(
    ("asked", "minutes"), [("600", 10), ("99999999", 240), ("9" * 40, 240), ("soon", 1), ("-5", 1)]
)
def test_a_receiver_may_ask_for_a_pause(
    tenant: Tenant, receiver: Receiver, carry: Carry, clock: Clock, asked: str, minutes: int
) -> None:
    channel(tenant, "webhook", receiver.url)
    receiver.replies = [(429, {"Retry-After": asked}, b"")]
    say(incident(tenant, "held"), Event.OPENED)
    carry()
    assert Delivery.objects.get().due_at - clock.now == datetime.timedelta(minutes=minutes)


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_chats_get_plain_text(tenant: Tenant, receiver: Receiver, carry: Carry, kind: str) -> None:
    """Nothing in a name becomes a link, a mention or markup."""
    channel(tenant, kind, receiver.url)
    evil = "<!channel> [x](https://evil.example) & *b*"
    tell([News(incident(tenant, "held"), Event.OPENED)], lambda _heard: Words(evil, [evil, "Next."]))
    carry()
    (message,) = receiver.messages
    if kind == "slack":
        assert message["text"] == "&lt;!channel&gt; [x](https://evil.example) &amp; *b*"
        assert [block["text"] for block in message["blocks"]] == [
            {"type": "plain_text", "text": text} for text in (evil, evil, "Next.")
        ]
    else:
        card = message["attachments"][0]["content"]
        assert [run["text"] for block in card["body"] for run in block["inlines"]] == [evil, evil, "Next."]
        assert {block["type"] for block in card["body"]} == {"RichTextBlock"}


def test_slack_takes_fifty_blocks_and_no_more(tenant: Tenant, receiver: Receiver, carry: Carry) -> None:
    channel(tenant, "slack", receiver.url)
    said = [f"Paragraph {number}." for number in range(60)]
    tell([News(incident(tenant, "held"), Event.OPENED)], lambda _heard: Words("Much", said))
    carry()
    texts = [block["text"]["text"] for block in receiver.messages[0]["blocks"]]
    assert len(texts) == 50
    assert "\n\n".join(texts).split("\n\n") == ["Much", *said]


def test_a_mailbox_of_two_tenants_hears_by_the_channel_that_wants_to(
    tenant: Tenant, mails: Mails, carry: Carry
) -> None:
    """The other one may be removed, and takes nothing along."""
    other = Tenant.objects.create(name="Other", slug="other")
    deaf = channel(tenant, "email", "ops@acme.example", kinds=["held"])
    channel(other, "email", "ops@acme.example", kinds=["lateness"])
    tell([News(incident(one, "lateness"), Event.OPENED) for one in (tenant, other)], words)
    services.remove_channel(channel=deaf, actor=ACTOR)
    carry()
    assert (Delivery.objects.get().tenant, mails.subjects) == (other, ["opened lateness"])


def test_a_message_about_two_tenants_was_sent_for_both(tenant: Tenant, mails: Mails, carry: Carry) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    for one in (tenant, other):
        channel(one, "email", "ops@acme.example")
    tell([News(incident(one, "lateness"), Event.OPENED) for one in (tenant, other)], words)
    carry()
    assert mails.subjects == ["opened lateness"]
    for one in (tenant, other):
        assert [rule.kind.name for rule in queries.rules(one) if rule.sent_at] == ["lateness"]


def test_no_secret_is_stored_or_said_anywhere_else(tenant: Tenant, receiver: Receiver, carry: Carry) -> None:
    """The receiver quotes all that it was asked."""
    receiver.replies = [(404, {}, b"not found: {path} or " + receiver.url.encode())]
    secrets = [CANARY]
    for kind in ("webhook", "slack", "teams"):
        _channel, secret = services.add_channel(tenant=tenant, actor=ACTOR, kind=kind, to=receiver.url)
        secrets += [secret] if secret else []
    say(incident(tenant, "held"), Event.OPENED)
    carry()
    stored = [*Channel.objects.values(), *Delivery.objects.values(), *DeliveryAttempt.objects.values()]
    stored += [*AuditEntry.objects.values()]
    assert DeliveryAttempt.objects.count() == 3
    assert [secret for secret in secrets if secret in str(stored)] == []


def test_an_answer_that_is_cut_off_within_the_address_keeps_none_of_it(
    tenant: Tenant, receiver: Receiver, carry: Carry
) -> None:
    """Five hundred letters of it are read."""
    address = f"{receiver.url}/{CANARY}"
    receiver.replies = [(404, {}, b"x" * (500 - len(address) + 4) + address.encode())]
    services.add_channel(tenant=tenant, actor=ACTOR, kind="webhook", to=address)
    say(incident(tenant, "held"), Event.OPENED)
    carry()
    answer = DeliveryAttempt.objects.get().answer
    assert answer.endswith("x…")


def test_a_secret_opens_for_its_host_alone(tenant: Tenant, receiver: Receiver, carry: Carry) -> None:
    stored = channel(tenant, "webhook", receiver.url)
    Channel.objects.filter(pk=stored.pk).update(host="elsewhere.example")
    say(incident(tenant, "held"), Event.OPENED)
    carry()
    assert (receiver.bodies, Delivery.objects.get().state) == ([], "waiting")


def test_a_rotation_seals_channels_anew(
    tenant: Tenant, receiver: Receiver, carry: Carry, settings: LazySettings
) -> None:
    stored = channel(tenant, "webhook", receiver.url)
    old = stored.sealed
    settings.SEAL_KEYS = f"{new_ring_line()}\n{settings.SEAL_KEYS}"
    assert [row.label for use in rotation.key_uses() for row in use.rows] == [f"Acme: Webhook, {receiver.host}"]
    list(rotation.rotate(actor=ACTOR))
    stored.refresh_from_db()
    assert stored.sealed != old
    say(incident(tenant, "held"), Event.OPENED)
    carry()
    assert len(receiver.bodies) == 1


def test_another_address_gets_another_secret_and_the_same_one_keeps_it(tenant: Tenant, receiver: Receiver) -> None:
    stored, first = services.add_channel(tenant=tenant, actor=ACTOR, kind="webhook", to=receiver.url)
    kept: dict[str, Any] = {"channel": stored, "actor": ACTOR, "name": "SIEM", "kinds": ["held"], "on": True}
    assert services.save_channel(**kept, to="") == ""
    second = services.save_channel(**kept, to=f"{receiver.url}/2")
    assert second.startswith("whsec_")
    assert second != first


@pytest.mark.parametrize("to", ["http://hooks.example.com/x", "https://10.0.0.1/x", "https://localhost/x", ""])
@pytest.mark.parametrize("kind", ["webhook", "slack", "teams"])
def test_what_is_no_public_https_address_is_refused(tenant: Tenant, kind: str, to: str) -> None:
    with pytest.raises(ValidationError):
        channel(tenant, kind, to)
    assert not Channel.objects.exists()


def test_what_waits_for_a_removed_channel_is_not_sent(tenant: Tenant, receiver: Receiver, carry: Carry) -> None:
    stored = channel(tenant, "webhook", receiver.url)
    say(incident(tenant, "held"), Event.OPENED)
    services.remove_channel(channel=stored, actor=ACTOR)
    carry()
    delivery = Delivery.objects.get()
    assert (receiver.bodies, delivery.state, delivery.recipient) == ([], "failed", receiver.host)


def test_a_test_says_that_messages_arrive(tenant: Tenant, receiver: Receiver, mails: Mails, carry: Carry) -> None:
    for kind, to in (("email", "ops@acme.example"), ("webhook", receiver.url), ("slack", receiver.url)):
        services.send_test(channel=channel(tenant, kind, to), actor=ACTOR)
    carry()
    assert mails.subjects == ["[Acme] Test"]
    assert {delivery.state for delivery in Delivery.objects.all()} == {"sent"}
    assert receiver.messages[0]["type"] == "test"


@pytest.mark.parametrize(
    ("code", "word", "of_run", "kind"),
    [
        ("token-refused", None, True, "quarantine"),
        ("graph-down", None, True, "failed-run"),
        ("not-confirmed", None, True, "held"),
        ("held-people", Word.HELD, False, "held"),
        ("source-shrunk", None, True, "unusual-numbers"),
        ("overdue", None, False, "lateness"),
        ("no-finished-run", None, False, "missed-runs"),
        ("token-ends", None, False, "credential-ends"),
        ("missing-family-name", Word.NOT_READY, False, "not-ready"),
        ("not-found-link", Word.GONE, False, "gone-from-aws"),
        ("rejected", Word.FAILED, False, "new-problem"),
    ],
)
def test_every_incident_is_of_one_kind(code: str, word: Word | None, of_run: bool, kind: str) -> None:
    assert kind_of(code, word, of_run=of_run) == kind
