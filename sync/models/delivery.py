"""Messages that are to go out, and what came of each attempt."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models.channel import Channel
from sync.models.incident import Incident
from sync.models.run import Run
from sync.models.tenant import Tenant


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def give_up(self, why: str) -> int:
        """Of these, what is not sent yet never is. How many that were. `why`: a marked message."""
        return self.filter(state__in=Delivery.OPEN).update(state=Delivery.State.FAILED, error=why)


class Delivery(models.Model):
    """A message that is to go out, and what came of it. `recipient`: where to, for people."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    OPEN = (State.WAITING, State.SENDING)

    # None: to Owners, about what no tenant has.
    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, blank=True, related_name="deliveries")
    run = models.ForeignKey(Run, models.CASCADE, null=True, blank=True, related_name="deliveries")
    # Without one it is a mail: the channel was removed since.
    channel = models.ForeignKey(Channel, models.SET_NULL, null=True, blank=True, related_name="deliveries")
    incidents = models.ManyToManyField(Incident, related_name="deliveries")
    recipient = models.CharField(max_length=255)
    subject = models.CharField(max_length=250)
    # Text for people; JSON for a webhook, the same bytes at every attempt.
    body = models.TextField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(auto_now_add=True)
    # When it is handed to a worker, again if one had it and did not say what came of it.
    due_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Why the last attempt failed.
    error = models.TextField(blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state__in=["waiting", "sending"]), name="delivery_due")
        ]


class DeliveryAttempt(models.Model):
    """One try of a delivery. `answer`: what the other side said, its beginning; `error`: why there was none, or not a good one."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    # Of HTTP.
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="one_try_per_number")]
