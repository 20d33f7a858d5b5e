"""Readiness: whom AWS would refuse, found out before anything is sent."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.models.link import ObjectType
from sync.models.tenant import Tenant


class ReadinessCheck(models.Model):
    """One look at everybody in scope. The newest one that is done counts; older ones keep their numbers."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    OPEN = (State.WAITING, State.RUNNING)

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="readiness_checks")
    requested_by = models.CharField(max_length=254, blank=True)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    people = models.PositiveIntegerField(default=0)
    people_ready = models.PositiveIntegerField(default=0)
    groups = models.PositiveIntegerField(default=0)
    groups_ready = models.PositiveIntegerField(default=0)
    # Attributes of Entra that a rule needs and the last reading did not bring.
    unread = models.JSONField(default=list)

    class Meta:
        ordering = ["-pk"]

    @property
    def open(self) -> bool:
        return self.state in self.OPEN


class Finding(models.Model):
    """One thing that is wrong with one person or group. Codes: sync.rules.acceptance and sync/readiness/check.py."""

    # Named so since a model's own `check` is Django's.
    found_by = models.ForeignKey(ReadinessCheck, models.CASCADE, related_name="findings")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="findings")
    object_type = models.CharField(max_length=5, choices=ObjectType)
    object_id = models.CharField(max_length=36)
    code = models.CharField(max_length=40)
    attribute = models.CharField(max_length=200, blank=True)
    # As it would be sent, with what cannot be seen made visible.
    value = models.TextField(blank=True)
    # AWS refuses the object: nothing of it is sent.
    certain = models.BooleanField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["found_by", "code"], name="finding_by_code"),
            models.Index(fields=["tenant", "object_id"], name="finding_by_object"),
        ]
