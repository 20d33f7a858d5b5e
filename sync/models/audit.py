"""Audit: what people did. (What the sync did is in the operations.)"""

from django.db import models

from sync.models.tenant import Tenant


class AuditEntry(models.Model):
    """Append-only. The actor is kept as an e-mail address: the entry outlives the account."""

    at = models.DateTimeField(auto_now_add=True)
    tenant = models.ForeignKey(Tenant, models.SET_NULL, null=True, blank=True, related_name="audit_entries")
    actor = models.CharField(max_length=254)
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=100, blank=True)
    object_name = models.CharField(max_length=256, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ["-pk"]
