"""Subscriptions to change notifications of Microsoft Graph: a hint that there is something to read, never what changed."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models.tenant import Tenant


class GraphSubscription(models.Model):
    """One per tenant and kind of object. It lives for weeks at Microsoft and is renewed by the day."""

    class Resource(models.TextChoices):
        USERS = "users", _("People")
        GROUPS = "groups", _("Groups")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="graph_subscriptions")
    resource = models.CharField(max_length=6, choices=Resource)
    # Microsoft's id of it; empty while there is none.
    subscription_id = models.CharField(max_length=64, blank=True, db_index=True)
    # SHA-256 of the secret that every notification has to bring.
    client_state_hash = models.CharField(max_length=64, blank=True)
    # For which app, directory and address it was made: with another one it is made anew.
    made_for = models.CharField(max_length=500, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    renewed_at = models.DateTimeField(null=True, blank=True)
    # When it is looked at again, and how often that went wrong since it went well; Microsoft's words.
    next_at = models.DateTimeField(default=timezone.now)
    failures = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    # The newest notification that counted; `hinted_at`: since when nobody has looked.
    notified_at = models.DateTimeField(null=True, blank=True)
    hinted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "resource"], name="one_graph_subscription")]
        indexes = [models.Index(fields=["tenant"], condition=~models.Q(hinted_at=None), name="graph_hinted")]

    @property
    def active(self) -> bool:
        """Microsoft has it, and it is not over."""
        return bool(self.subscription_id and self.expires_at and self.expires_at > timezone.now())

    @property
    def state(self) -> str:
        """A word of portal/words/states.py."""
        if self.active:
            return "active"
        return "failing" if self.error else "made"
