"""Incidents: a kind of problem with a beginning and an end; and the mails about them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models.run import Run
from sync.models.tenant import Tenant


class Incident(models.Model):
    """At most one open incident per tenant, code and attribute: repeats stay quiet."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="incidents")
    # A code of sync.problems.catalogue; `attribute` tells two problems of one code apart.
    code = models.CharField(max_length=40)
    attribute = models.CharField(max_length=200, blank=True)
    # It stopped a whole run; otherwise it is there as long as anybody stands at it.
    of_run = models.BooleanField(default=False)
    # How many people and groups had it when a mail about it went out last.
    told = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    # No run meets the end of a credential.
    opened_by = models.ForeignKey(Run, models.CASCADE, null=True, blank=True, related_name="opened_incidents")
    last_seen = models.ForeignKey(Run, models.CASCADE, null=True, blank=True, related_name="+")
    solved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "code", "attribute"], condition=models.Q(solved_at=None), name="one_open_incident"
            )
        ]


class Delivery(models.Model):
    """A mail that is to go out, and what came of it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    OPEN = (State.WAITING, State.SENDING)

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="deliveries")
    run = models.ForeignKey(Run, models.CASCADE, null=True, blank=True, related_name="deliveries")
    recipient = models.EmailField()
    subject = models.CharField(max_length=250)
    body = models.TextField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(auto_now_add=True)
    # When it is handed to a worker, again if one had it and did not say what came of it.
    due_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state__in=["waiting", "sending"]), name="delivery_due")
        ]
