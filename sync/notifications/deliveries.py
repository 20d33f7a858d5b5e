"""Mails on their way: handed to one worker at a time, tried for two days, and one that cannot be sent stops no other."""

import datetime

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.utils import timezone

from sync import queue
from sync.models import Delivery

log = structlog.get_logger(__name__)

MINUTE, HOUR = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
# After the first, second … failure; the last one repeats until a delivery is too old.
WAITS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR)
TRIED_FOR = datetime.timedelta(days=2)
# Longer than any attempt: nobody else takes a delivery up meanwhile, and one whose worker died is taken up after it.
IN_HAND = 5 * MINUTE


def hand_out() -> None:
    """One message to the workers for each delivery that is due."""
    now = timezone.now()
    due = Delivery.objects.filter(state__in=Delivery.OPEN, due_at__lte=now)
    for delivery in due:
        # Of two dispatchers one changes the row.
        if due.filter(pk=delivery.pk).update(state=Delivery.State.WAITING, due_at=now + IN_HAND):
            queue.send(queue.DELIVER, delivery.pk)


def deliver_here() -> None:
    """What is due, in this process: for when there is no worker to hand it to."""
    for key in Delivery.objects.filter(state__in=Delivery.OPEN, due_at__lte=timezone.now()).values_list(
        "pk", flat=True
    ):
        Delivery.objects.filter(pk=key, state=Delivery.State.SENDING).update(state=Delivery.State.WAITING)
        deliver(key)


def deliver(delivery_id: int) -> None:
    """One attempt. A message that the broker repeats finds the delivery in hand, or done."""
    waiting = Delivery.objects.filter(pk=delivery_id, state=Delivery.State.WAITING)
    taken = {"state": Delivery.State.SENDING, "due_at": timezone.now() + IN_HAND, "attempts": F("attempts") + 1}
    if not waiting.update(**taken):
        return
    delivery = Delivery.objects.get(pk=delivery_id)
    try:
        _message(delivery).send()
    except OSError as error:  # smtplib's errors are OSErrors too.
        _failed(delivery, error, timezone.now())
    except ValueError as error:
        # A header that mail does not take: another attempt would end the same way.
        _given_up(delivery, error)
    else:
        delivery.state, delivery.sent_at, delivery.error = Delivery.State.SENT, timezone.now(), ""
        delivery.save(update_fields=["state", "sent_at", "error"])


def _message(delivery: Delivery) -> EmailMessage:
    """The same id at each attempt: whoever gets it twice can see that it is one."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    identity = f"<lockstep-{delivery.pk}-{int(delivery.created_at.timestamp())}@{domain}>"
    return EmailMessage(delivery.subject, delivery.body, to=[delivery.recipient], headers={"Message-ID": identity})


def _failed(delivery: Delivery, error: Exception, now: datetime.datetime) -> None:
    if now - delivery.created_at > TRIED_FOR:
        _given_up(delivery, error)
        return
    log.warning("mail not sent", delivery=delivery.pk, attempts=delivery.attempts, error=str(error))
    delivery.state, delivery.error = Delivery.State.WAITING, str(error)
    delivery.due_at = now + WAITS[min(delivery.attempts, len(WAITS)) - 1]
    delivery.save(update_fields=["state", "error", "due_at"])


def _given_up(delivery: Delivery, error: Exception) -> None:
    log.error("mail given up", delivery=delivery.pk, attempts=delivery.attempts, error=str(error))
    delivery.state, delivery.error = Delivery.State.FAILED, str(error)
    delivery.save(update_fields=["state", "error"])
