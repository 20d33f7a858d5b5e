"""Incidents: a kind of problem with a beginning and an end."""

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
    # A name of sync/notifications/kinds.py: by it channels choose what they hear of.
    kind = models.CharField(max_length=20, default="new-problem")
    # It stopped a whole run; otherwise it is there as long as anybody stands at it.
    of_run = models.BooleanField(default=False)
    # How many people and groups had it when a mail about it went out last.
    told = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    # No run meets the end of a credential.
    opened_by = models.ForeignKey(Run, models.CASCADE, null=True, blank=True, related_name="opened_incidents")
    last_seen = models.ForeignKey(Run, models.CASCADE, null=True, blank=True, related_name="+")
    solved_at = models.DateTimeField(null=True, blank=True)
    # Somebody looks at it, or will later: it rings no more, until it grows.
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=254, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "code", "attribute"], condition=models.Q(solved_at=None), name="one_open_incident"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.attribute}".strip()

    @property
    def state(self) -> str:
        if self.solved_at:
            return "solved"
        if self.snoozed_until and self.snoozed_until > timezone.now():
            return "snoozed"
        return "acknowledged" if self.acknowledged_at else "open"


class IncidentEvent(models.Model):
    """What happened between its beginning and its end, which the incident itself knows."""

    class What(models.TextChoices):
        CHANGED = "changed", _("Changed")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        SNOOZED = "snoozed", _("Snoozed")

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    what = models.CharField(max_length=12, choices=What)
    actor = models.CharField(max_length=254, blank=True)
    # Of a change: how many people and groups have it now.
    objects_now = models.PositiveIntegerField(default=0)
    # Of a snooze.
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at", "pk"]
