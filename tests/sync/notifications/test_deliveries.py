"""Mails: sent once although dispatchers and messages are many, tried for two days, none in another's way."""

import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import timezone

from sync import queue
from sync.models import Delivery, Run, Tenant
from sync.notifications import deliveries
from tests.world.company import hire
from tests.world.lab import Lab
from tests.world.notified import mail_to
from tests.world.tenant import assign, sync

# SQLite takes no locks of rows.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]
Make = Callable[..., Delivery]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Keys of the deliveries that were handed out."""
    found: list[int] = []
    monkeypatch.setattr("sync.queue.send", lambda task, key: found.append(key) if task == queue.DELIVER else None)
    return found


@pytest.fixture
def make(tenant: Tenant) -> Make:
    run = Run.objects.create(tenant=tenant, number=1, kind="full", trigger="person", state="failed")

    def made(**facts: Any) -> Delivery:
        words = {"recipient": "ops@acme.example", "subject": "Sync failed", "body": "Why"}
        return Delivery.objects.create(tenant=tenant, run=run, **words | facts)

    return made


def later(delivery: Delivery, **span: float) -> None:
    """As if everything about it had happened that much earlier."""
    delivery.refresh_from_db()
    earlier = datetime.timedelta(**span)
    Delivery.objects.filter(pk=delivery.pk).update(
        due_at=delivery.due_at - earlier, created_at=delivery.created_at - earlier
    )


def broken(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(_self: EmailMessage, fail_silently: bool = False) -> int:
        raise error

    monkeypatch.setattr(EmailMessage, "send", fails)


def test_two_dispatchers_hand_a_mail_out_once(make: Make, sent: list[int]) -> None:
    delivery = make()
    deliveries.hand_out()
    deliveries.hand_out()
    assert sent == [delivery.pk]


def test_of_two_web_servers_without_workers_one_sends(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one has the mail in its list already, and comes to it while it is being sent."""
    make(subject="First")
    make(subject="Second")
    sent: list[str] = []
    listed, sending = threading.Event(), threading.Event()

    def send(message: EmailMessage, fail_silently: bool = False) -> int:
        sent.append(message.subject)
        if message.subject == "Second":
            listed.set()
            sending.wait(5)
        elif threading.current_thread() is not other:
            sending.set()
            other.join(5)
        return 1

    def look() -> None:
        try:
            deliveries.deliver_here()
        finally:
            connection.close()

    monkeypatch.setattr(EmailMessage, "send", send)
    other = threading.Thread(target=look)
    other.start()
    assert listed.wait(5)
    deliveries.deliver_here()
    other.join(5)
    assert sent == ["Second", "First"]


def test_a_message_that_comes_twice_sends_one_mail(make: Make, sent: list[int], mailoutbox: list[Any]) -> None:
    delivery = make()
    deliveries.hand_out()
    deliveries.deliver(delivery.pk)
    deliveries.deliver(delivery.pk)
    assert len(mailoutbox) == 1


def test_a_mail_that_is_being_sent_is_nobody_elses(
    make: Make, sent: list[int], mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail server may take longer to answer than dispatchers wait between two looks."""
    delivery, send = make(), EmailMessage.send

    def slow(message: EmailMessage, fail_silently: bool = False) -> int:
        deliveries.hand_out()
        deliveries.deliver(delivery.pk)
        return send(message)

    monkeypatch.setattr(EmailMessage, "send", slow)
    deliveries.hand_out()
    deliveries.deliver(delivery.pk)
    assert (len(mailoutbox), sent) == (1, [delivery.pk])


def test_a_mail_whose_worker_died_is_sent_again_under_the_same_id(
    make: Make, sent: list[int], mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = make()
    seen: list[str] = []

    class Killed(BaseException):
        pass

    def killed(message: EmailMessage, fail_silently: bool = False) -> int:
        seen.append(message.extra_headers["Message-ID"])
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", killed)
        with pytest.raises(Killed):
            deliveries.deliver(delivery.pk)
    deliveries.hand_out()
    assert sent == []
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now())
    deliveries.hand_out()
    deliveries.deliver(delivery.pk)
    assert [mail.extra_headers["Message-ID"] for mail in mailoutbox] == seen


def test_a_mail_outlives_a_mail_server_that_is_away_for_a_day(
    make: Make, sent: list[int], mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = make()
    with monkeypatch.context() as away:
        broken(away, ConnectionRefusedError("away"))
        for _ in range(8):
            deliveries.hand_out()
            deliveries.deliver(delivery.pk)
            later(delivery, hours=4)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.error) == ("waiting", 8, "away")
    deliveries.hand_out()
    deliveries.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, len(mailoutbox)) == ("sent", 1)


def test_after_two_days_a_mail_is_given_up_and_the_log_says_so(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = make()
    later(delivery, hours=49)
    broken(monkeypatch, TimeoutError("no answer"))
    deliveries.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == "failed"
    assert "delivery given up" in caplog.text


@pytest.mark.parametrize(
    "error", [ValueError("a header"), KeyError("x"), RuntimeError(), OSError("\0" * 600), SoftTimeLimitExceeded()]
)
def test_whatever_goes_wrong_with_one_stops_no_other(
    make: Make, sent: list[int], mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    poisoned, good = make(subject="Poison"), make()
    send = EmailMessage.send

    def fails(message: EmailMessage, fail_silently: bool = False) -> int:
        if message.subject == "Poison":
            raise error
        return send(message)

    monkeypatch.setattr(EmailMessage, "send", fails)
    deliveries.hand_out()
    for key in sent:
        deliveries.deliver(key)
    poisoned.refresh_from_db()
    assert (poisoned.state, poisoned.attempts) == ("waiting", 1)
    assert [mail.subject for mail in mailoutbox] == [good.subject]


def test_a_subject_that_would_add_a_header_is_tried_and_given_up(make: Make, mailoutbox: list[Any]) -> None:
    poisoned = make(subject="Evil\r\nBcc: a@b")
    deliveries.deliver(poisoned.pk)
    later(poisoned, hours=49)
    deliveries.deliver(poisoned.pk)
    poisoned.refresh_from_db()
    assert (poisoned.state, poisoned.attempts, mailoutbox) == ("failed", 2, [])


def test_pauses_between_attempts_grow(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery, now = make(), timezone.now()
    broken(monkeypatch, TimeoutError("no answer"))
    pauses = []
    for _ in range(6):
        deliveries.deliver(delivery.pk, [now].pop)
        delivery.refresh_from_db()
        pauses.append((delivery.due_at - now).total_seconds() / 60)
        now = delivery.due_at
    assert pauses == [1, 5, 15, 60, 240, 240]


def test_every_attempt_is_kept_with_what_came_of_it(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = make()
    with monkeypatch.context() as away:
        broken(away, ConnectionRefusedError("away"))
        deliveries.deliver(delivery.pk)
    deliveries.deliver(delivery.pk)
    assert list(delivery.tries.values_list("number", "error")) == [(1, "away"), (2, "")]


def test_one_whose_workers_die_is_given_up_too(make: Make, sent: list[int]) -> None:
    delivery = make(state="sending", attempts=500)
    later(delivery, hours=49)
    deliveries.hand_out()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error, sent) == ("failed", "no worker finished an attempt", [])


def test_a_line_break_in_a_tenants_name_is_no_line_break_of_a_mail(wired: Tenant, lab: Lab) -> None:
    Tenant.objects.filter(pk=wired.pk).update(name="Acme\r\nBcc: a@b")
    mail_to(wired)
    assign(wired, hire(lab, "Nolast", surname=None))
    sync(wired)
    assert "\n" not in Delivery.objects.get().subject


def test_a_preview_sends_no_mail_and_opens_no_incident(wired: Tenant, lab: Lab) -> None:
    mail_to(wired)
    assign(wired, hire(lab, "Nolast", surname=None))
    sync(wired, Run.Kind.PREVIEW)
    assert (Delivery.objects.count(), wired.incidents.count()) == (0, 0)


def test_aws_is_quoted_only_when_it_answered(wired: Tenant, lab: Lab) -> None:
    mail_to(wired)
    assign(wired, hire(lab, "Nolast", surname=None))
    sync(wired)
    assert "The rule of AWS:" in Delivery.objects.get().body
    Delivery.objects.all().delete()
    lab.call(
        "POST", "faults", {"part": "aws", "kind": "status", "status": 400, "match": "POST", "body": '{"detail": "No."}'}
    )
    assign(wired, hire(lab, "Re Fused"))
    sync(wired)
    assert 'AWS said: "No."' in Delivery.objects.get().body.replace("\n", " ")
