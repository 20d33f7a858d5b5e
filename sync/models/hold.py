"""Holds: changes that wait for a person because a plan went over a limit."""

import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models.run import Action, Run
from sync.models.tenant import Tenant


class Hold(models.Model):
    """All that one limit holds back; at most one open hold per tenant and kind. It closes when nothing in it waits."""

    class Kind(models.TextChoices):
        PEOPLE = "people", _("People to be disabled or deleted")
        MEMBERS = "members", _("Members to be removed")
        GROUPS = "groups", _("Groups to be deleted")
        CREATES = "creates", _("People and groups to be created")
        KEYS = "keys", _("Names and ids to be changed")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="holds")
    kind = models.CharField(max_length=7, choices=Kind)
    run = models.ForeignKey(Run, models.CASCADE, related_name="opened_holds")
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    # The limit that was passed, and by how many: {"limit": 3, "planned": 12, "day": 12, "week": 12}.
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind"], condition=models.Q(closed_at=None), name="one_open_hold_per_kind"
            )
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


def undecided(now: datetime.datetime) -> models.Q:
    """Of open changes: nobody decided, or the approval has ended."""
    ended = models.Q(decision=HeldChange.Decision.APPROVED, expires_at__lte=now)
    return models.Q(decision=HeldChange.Decision.WAITING) | ended


class HeldChangeQuerySet(models.QuerySet["HeldChange"]):
    def open(self) -> "HeldChangeQuerySet":
        return self.filter(closed_at=None)

    def waiting(self) -> "HeldChangeQuerySet":
        """Undecided, or approved so long ago that the approval has ended."""
        return self.open().filter(undecided(timezone.now()))

    def approved(self) -> "HeldChangeQuerySet":
        return self.open().filter(decision=HeldChange.Decision.APPROVED, expires_at__gt=timezone.now())

    def kept(self) -> "HeldChangeQuerySet":
        return self.open().filter(decision=HeldChange.Decision.KEPT)


class HeldChange(models.Model):
    """One object of a hold, by name. A decision is about exactly this object and this action."""

    class Decision(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        APPROVED = "approved", _("Approved")
        KEPT = "kept", _("Kept")

    hold = models.ForeignKey(Hold, models.CASCADE, related_name="changes")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="held_changes")
    action = models.CharField(max_length=13, choices=Action)
    # The person or group; for a membership the group, and the member beside it (Entra object ids).
    object_type = models.CharField(max_length=10)
    object_id = models.CharField(max_length=36)
    member_id = models.CharField(max_length=36, blank=True)
    display_name = models.CharField(max_length=256, blank=True)
    detail_name = models.CharField(max_length=256, blank=True)
    # Why it would happen: a scope reason of sync.rules.scope, or empty.
    cause = models.CharField(max_length=40, blank=True)
    # Who changed the configuration that causes it; empty: Entra did. None of them approves it.
    caused_by = models.JSONField(default=list)
    decision = models.CharField(max_length=8, choices=Decision, default=Decision.WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=254, blank=True)
    comment = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    # Done, or no longer wanted.
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = HeldChangeQuerySet.as_manager()

    def standing(self, now: datetime.datetime) -> str:
        """The decision as it stands: an approval that has ended waits again."""
        ended = self.decision == self.Decision.APPROVED and (self.expires_at is None or self.expires_at <= now)
        return self.Decision.WAITING.value if ended else self.decision

    class Meta:
        ordering = ["display_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "action", "object_id", "member_id"],
                condition=models.Q(closed_at=None),
                name="one_open_held_change",
            )
        ]
        indexes = [models.Index(fields=["tenant", "object_id"], name="held_by_object")]
