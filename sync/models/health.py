"""What is told to whoever looks from outside: which processes live, and how much was done."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.models.tenant import Tenant


class Heartbeat(models.Model):
    """The last sign of life of a process. Times are the database's own."""

    class Role(models.TextChoices):
        WORKER = "worker", _("Worker")
        BEAT = "beat", _("Beat")

    # Celery's name of the worker: runs@host.
    name = models.CharField(max_length=255, unique=True)
    role = models.CharField(max_length=6, choices=Role)
    # Of a worker: names of sync.queue, and how many tasks it carries out at a time.
    queues: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    slots = models.PositiveIntegerField(default=0)
    seen_at = models.DateTimeField()
    # It said good-bye: nobody has to wait until it counts as silent.
    stopped = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]


class Tally(models.Model):
    """A counter of a tenant that only grows, whatever becomes of the rows that it counted."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="tallies")
    # What is counted, and which kind of it: ("runs", "completed"), ("scim_requests", "POST").
    name = models.CharField(max_length=20)
    kind = models.CharField(max_length=30)
    value = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name", "kind"], name="tally_once")]
