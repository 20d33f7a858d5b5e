"""Messages on their way: handed to one worker at a time, tried for two days, and one that cannot be sent stops no other."""

import datetime
import time
from collections.abc import Callable, Iterator

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sync import queue
from sync.models import Delivery, DeliveryAttempt
from sync.notifications import sending
from sync.notifications.sending import Outcome

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime.datetime]
MINUTE, HOUR = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
# After the first, second … failure; the last one repeats until a delivery is too old.
WAITS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR)
TRIED_FOR = datetime.timedelta(days=2)
# No attempt takes longer, whatever the other side does (Celery's soft time limit).
LONGEST = 4 * MINUTE
# Longer than any attempt: nobody else takes a delivery up meanwhile, and one whose worker died is taken up after it.
IN_HAND = 5 * MINUTE
# Of what an error says.
MOST_TEXT = 500


def hand_out(clock: Clock = timezone.now) -> None:
    """One message to the workers for each delivery that is due."""
    now = clock()
    _give_up_lost(now)
    for key in _taken_up(now):
        queue.send(queue.DELIVER, key)


def _taken_up(now: datetime.datetime) -> Iterator[int]:
    """What is due. Of two dispatchers one changes the row."""
    due = Delivery.objects.filter(state__in=Delivery.OPEN, due_at__lte=now)
    for key in due.values_list("pk", flat=True):
        if due.filter(pk=key).update(state=Delivery.State.WAITING, due_at=now + IN_HAND):
            yield key


def _give_up_lost(now: datetime.datetime) -> None:
    """Those whose workers died, again and again."""
    lost = Delivery.objects.filter(state=Delivery.State.SENDING, due_at__lte=now, created_at__lt=now - TRIED_FOR)
    lost.give_up("no worker finished an attempt")


def deliver_here() -> None:
    """What is due, in this process: for when there is no worker to hand it to."""
    for key in _taken_up(timezone.now()):
        deliver(key)


def deliver(delivery_id: int, clock: Clock = timezone.now) -> None:
    """One attempt. A message that the broker repeats finds the delivery in hand, or done."""
    now = clock()
    waiting = Delivery.objects.filter(pk=delivery_id, state=Delivery.State.WAITING)
    taken = {"state": Delivery.State.SENDING, "due_at": now + IN_HAND, "attempts": F("attempts") + 1}
    if not waiting.update(**taken):
        return
    _attempt(Delivery.objects.select_related("channel").get(pk=delivery_id), now)


def _attempt(delivery: Delivery, now: datetime.datetime) -> None:
    began = time.monotonic()
    try:
        outcome = sending.send(delivery, now)
    except Exception as error:  # noqa: BLE001
        # Whatever goes wrong with one delivery is counted, and stops no other.
        outcome = Outcome("", error=_kept(str(error) or type(error).__name__))
    milliseconds = int((time.monotonic() - began) * 1000)
    with transaction.atomic():
        DeliveryAttempt.objects.create(
            delivery=delivery,
            number=delivery.attempts,
            at=now,
            milliseconds=milliseconds,
            status=outcome.status,
            answer=_kept(outcome.answer),
            error=outcome.error,
        )
        _settle(delivery, outcome, now)


def _kept(text: str) -> str:
    """PostgreSQL stores no NUL."""
    return text.replace("\0", "\ufffd")[:MOST_TEXT]


def _settle(delivery: Delivery, outcome: Outcome, now: datetime.datetime) -> None:
    facts = {"delivery": delivery.pk, "attempts": delivery.attempts, "error": outcome.error}
    delivery.error = outcome.error
    if not outcome.error:
        delivery.state, delivery.sent_at = Delivery.State.SENT, now
    elif now - delivery.created_at > TRIED_FOR:
        log.error("delivery given up", **facts)
        delivery.state = Delivery.State.FAILED
    else:
        log.warning("delivery not sent", **facts)
        delivery.state, delivery.due_at = Delivery.State.WAITING, now + _pause(delivery.attempts, outcome.wait)
    delivery.save(update_fields=["state", "error", "sent_at", "due_at"])


def _pause(attempts: int, asked: int) -> datetime.timedelta:
    """`asked`: seconds, by the other side; never longer than the longest of our own."""
    own = WAITS[min(attempts, len(WAITS)) - 1]
    return max(own, datetime.timedelta(seconds=min(asked, WAITS[-1].total_seconds())))
