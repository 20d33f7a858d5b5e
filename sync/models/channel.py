"""Where a tenant's notifications go."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.models.tenant import Tenant


class Channel(models.Model):
    """An e-mail address, or an address on the web; that is a secret, and so is what signs the messages to it."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        WEBHOOK = "webhook", _("Webhook")
        SLACK = "slack", _("Slack")
        TEAMS = "teams", _("Microsoft Teams")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=7, choices=Kind)
    name = models.CharField(max_length=100)
    on = models.BooleanField(default=True)
    # Which incidents it hears of: names of sync/notifications/kinds.py.
    kinds = models.JSONField(default=list)
    email = models.EmailField(blank=True)
    # Of the web: where it goes, as far as it is no secret; JSON of `url` and, for a webhook, `secret`.
    host = models.CharField(max_length=255, blank=True)
    sealed = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def destination(self) -> str:
        """For people."""
        return self.email or self.host
