"""Changes that somebody asked for and that another person has to approve (sync/configuration/second_person.py says which)."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models.tenant import Tenant


class ChangeRequestQuerySet(models.QuerySet["ChangeRequest"]):
    def waiting(self) -> "ChangeRequestQuerySet":
        return self.filter(state=ChangeRequest.State.WAITING)

    def due(self) -> "ChangeRequestQuerySet":
        """Nobody could approve them when they were asked for, and their delay is over."""
        return self.waiting().filter(due_at__lte=timezone.now())


class ChangeRequest(models.Model):
    """At most one waits per tenant, kind and subject: a newer one replaces it."""

    class Kind(models.TextChoices):
        SETTINGS = "settings", _("Safety settings")
        REMOVALS = "removals", _("Held removals")
        PUBLISH = "publish", _("Publishing a draft")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        APPROVED = "approved", _("Approved")
        DUE = "due", _("Carried out after the delay")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        REPLACED = "replaced", _("Replaced by a newer request")
        # What it was about has changed meanwhile.
        STALE = "stale", _("No longer possible")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="change_requests")
    kind = models.CharField(max_length=8, choices=Kind)
    # Which of several: the hold of removals; else empty.
    subject = models.CharField(max_length=40, blank=True)
    # settings: {name: {"before": …, "after": …}} · removals: {"approve": [ids of held changes], "comment": …}
    # publish: {"preview": run number, "comment": …, "seen": [codes]}
    facts = models.JSONField(default=dict)
    asked_by = models.CharField(max_length=254)
    asked_at = models.DateTimeField(default=timezone.now)
    # When it is carried out without an approval; None: it waits for a person.
    due_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    decided_by = models.CharField(max_length=254, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ChangeRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "subject"],
                condition=models.Q(state="waiting"),
                name="one_waiting_change_request",
            )
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())
