"""Mails on their way: handed to one worker at a time, tried for two days, and one that cannot be sent stops no other."""

import datetime
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sync import queue
from sync.models import Delivery, DeliveryAttempt

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime.datetime]
MINUTE, HOUR = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
# After the first, second … failure; the last one repeats until a delivery is too old.
WAITS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR)
TRIED_FOR = datetime.timedelta(days=2)
# Longer than any attempt: nobody else takes a delivery up meanwhile, and one whose worker died is taken up after it.
IN_HAND = 5 * MINUTE
# Of what an error says.
MOST_TEXT = 500


def hand_out(clock: Clock = timezone.now) -> None:
    """One message to the workers for each delivery that is due."""
    now = clock()
    _give_up_lost(now)
    due = Delivery.objects.filter(state__in=Delivery.OPEN, due_at__lte=now)
    for delivery in due:
        # Of two dispatchers one changes the row.
        if due.filter(pk=delivery.pk).update(state=Delivery.State.WAITING, due_at=now + IN_HAND):
            queue.send(queue.DELIVER, delivery.pk)


def _give_up_lost(now: datetime.datetime) -> None:
    """Those whose workers died, again and again."""
    lost = Delivery.objects.filter(state=Delivery.State.SENDING, due_at__lte=now, created_at__lt=now - TRIED_FOR)
    lost.update(state=Delivery.State.FAILED, error="no worker finished an attempt")


def deliver_here() -> None:
    """What is due, in this process: for when there is no worker to hand it to."""
    for key in Delivery.objects.filter(state__in=Delivery.OPEN, due_at__lte=timezone.now()).values_list(
        "pk", flat=True
    ):
        Delivery.objects.filter(pk=key, state=Delivery.State.SENDING).update(state=Delivery.State.WAITING)
        deliver(key)


def deliver(delivery_id: int, clock: Clock = timezone.now) -> None:
    """One attempt. A message that the broker repeats finds the delivery in hand, or done."""
    now = clock()
    waiting = Delivery.objects.filter(pk=delivery_id, state=Delivery.State.WAITING)
    taken = {"state": Delivery.State.SENDING, "due_at": now + IN_HAND, "attempts": F("attempts") + 1}
    if not waiting.update(**taken):
        return
    _attempt(Delivery.objects.get(pk=delivery_id), now)


def _attempt(delivery: Delivery, now: datetime.datetime) -> None:
    began = time.monotonic()
    tried = DeliveryAttempt(delivery=delivery, number=delivery.attempts, at=now)
    try:
        _message(delivery).send()
    except Exception as error:  # noqa: BLE001
        # Whatever goes wrong with one delivery is counted, and stops no other.
        tried.error = _words(error)
    tried.milliseconds = int((time.monotonic() - began) * 1000)
    with transaction.atomic():
        tried.save()
        _settle(delivery, tried, now)


def _settle(delivery: Delivery, tried: DeliveryAttempt, now: datetime.datetime) -> None:
    delivery.error = tried.error
    if not tried.error:
        delivery.state, delivery.sent_at = Delivery.State.SENT, now
    elif now - delivery.created_at > TRIED_FOR:
        log.error("delivery given up", delivery=delivery.pk, attempts=delivery.attempts, error=tried.error)
        delivery.state = Delivery.State.FAILED
    else:
        log.warning("delivery not sent", delivery=delivery.pk, attempts=delivery.attempts, error=tried.error)
        delivery.state = Delivery.State.WAITING
        delivery.due_at = now + WAITS[min(delivery.attempts, len(WAITS)) - 1]
    delivery.save(update_fields=["state", "error", "sent_at", "due_at"])


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:MOST_TEXT]


def _message(delivery: Delivery) -> EmailMessage:
    """The same id at each attempt: whoever gets it twice can see that it is one."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    identity = f"<lockstep-{delivery.pk}-{int(delivery.created_at.timestamp())}@{domain}>"
    return EmailMessage(delivery.subject, delivery.body, to=[delivery.recipient], headers={"Message-ID": identity})
