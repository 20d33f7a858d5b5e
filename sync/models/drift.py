"""What a comparison with AWS found: where AWS differs from what was last written there."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models.link import Link, ObjectType
from sync.models.run import Run
from sync.models.tenant import Tenant


class DriftQuerySet(models.QuerySet["Drift"]):
    def undecided(self) -> "DriftQuerySet":
        """Neither written anew by the next run nor left as AWS has it."""
        return self.filter(repaired=False, left_alone=False)


class Drift(models.Model):
    """One difference. Those of the newest comparison count, and what was read back on demand since; the rest is history."""

    class Kind(models.TextChoices):
        DIFFERS = "differs", _("Differs")
        MISSING = "missing", _("Gone from AWS")
        ONLY_IN_AWS = "only_in_aws", _("Only in AWS")
        MEMBER_MISSING = "member_missing", _("Member missing in AWS")
        MEMBER_EXTRA = "member_extra", _("Member only in AWS")

    # Values of `proposed_by` that leave no doubt whose the AWS object is: the id that was linked, or our external id.
    CERTAIN = ("id", "externalId")

    run = models.ForeignKey(Run, models.CASCADE, related_name="drifts")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="drifts")
    kind = models.CharField(max_length=14, choices=Kind)
    object_type = models.CharField(max_length=10)
    # Ours, where there is one: the person or group, and the member of it.
    link = models.ForeignKey(Link, models.SET_NULL, null=True, blank=True, related_name="drifts")
    object_id = models.CharField(max_length=36, blank=True)
    scim_id = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=1024, blank=True)
    member_scim_id = models.CharField(max_length=100, blank=True)
    member_name = models.CharField(max_length=1024, blank=True)
    # {"title": {"written": "Clerk", "held": "Chief"}}; for objects only in AWS what AWS holds of it.
    facts = models.JSONField(default=dict)
    # Only in AWS: the person or group of Entra that it may be (object id), by which attribute.
    proposed_id = models.CharField(max_length=36, blank=True)
    proposed_by = models.CharField(max_length=200, blank=True)
    # When AWS was read, or a little before.
    found_at = models.DateTimeField(default=timezone.now)
    # Set when the next run was told to write it anew.
    repaired = models.BooleanField(default=False)
    # Somebody said that AWS may hold this (LeftDifference).
    left_alone = models.BooleanField(default=False)

    objects = DriftQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "name", "pk"]
        indexes = [models.Index(fields=["tenant", "run", "kind"], name="drift_by_run")]


class LeftAlone(models.Model):
    """Somebody said that an object which only AWS holds is to stay as it is: never linked, never written to."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="left_alone")
    object_type = models.CharField(max_length=5, choices=ObjectType)
    scim_id = models.CharField(max_length=100)
    name = models.CharField(max_length=1024, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    decided_by = models.CharField(max_length=254)
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "object_type", "scim_id"], name="left_alone_once")]

    def __str__(self) -> str:
        return self.name or self.scim_id


class LeftDifference(models.Model):
    """Somebody said that AWS may differ here from what Entra says, as long as it holds just this."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="left_differences")
    link = models.ForeignKey(Link, models.CASCADE, related_name="left_differences")
    scim_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=14, choices=Drift.Kind)
    # What differs, and what AWS held of it: a unit (sync/scim/resource.py) with its value, or a member that only AWS has.
    unit = models.CharField(max_length=200, blank=True)
    held = models.JSONField(null=True, default=None)
    member_scim_id = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=1024, blank=True)
    member_name = models.CharField(max_length=1024, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    decided_by = models.CharField(max_length=254)
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["link", "kind", "unit", "member_scim_id"], name="left_difference_once")
        ]

    def __str__(self) -> str:
        unit = self.unit.rpartition(":")[2]
        return f"{self.name}, {self.member_name or self.member_scim_id or unit}"
