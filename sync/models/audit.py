"""Audit: what people did. (What the sync did is in the operations.)"""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from sync.models.tenant import Tenant

# In place of what nobody can read; no entry was ever signed with it.
UNREADABLE = {"unreadable": True}


class Facts(models.JSONField):
    """An object of JSON, or none, whatever somebody wrote into the table: what is nested too deeply, has a number of too many digits,
    or is a list stops no reader."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        try:
            found = super().from_db_value(value, expression, connection)
        except (ValueError, RecursionError):
            return UNREADABLE
        return found if found is None or isinstance(found, dict) else UNREADABLE

    def deconstruct(self) -> Any:
        """To the database it is no other field."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs


class AuditEntry(models.Model):
    """Append-only: PostgreSQL refuses to change or to delete it, and sync/audit/chain.py finds out.

    It outlives what it is about: names and addresses are kept as text, and the tenant's number after the tenant.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True)
    at = models.DateTimeField(default=timezone.now)
    tenant = models.ForeignKey(
        Tenant,
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="audit_entries",
        db_constraint=False,
        db_index=False,
    )
    tenant_slug = models.CharField(max_length=60, blank=True)
    # An e-mail address, "command line", or nothing: nobody who is known.
    actor = models.CharField(max_length=254, blank=True, db_index=True)
    # Of the network; of a command the user and the host.
    address = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=64, blank=True, db_index=True)
    verb = models.CharField(max_length=60, db_index=True)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=100, blank=True)
    object_name = models.CharField(max_length=256, blank=True)
    before = Facts(null=True)
    after = Facts(null=True)
    # The id of the key in SEAL_KEYS under which `mac` signs all of the above.
    key = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64, blank=True)
    # Given a moment after the transaction is through: its place in the chain, and the hash of all up to here.
    position = models.BigIntegerField(null=True, unique=True)
    chain_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="audit_of_tenant"),
            models.Index(fields=["id"], condition=models.Q(position=None), name="audit_unchained"),
        ]


class AuditHead(models.Model):
    """One row: how long the chain of entries is, signed, and how far it was shipped."""

    position = models.BigIntegerField(default=0)
    chain_hash = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64, blank=True)
    shipped = models.BigIntegerField(default=0)
    # When shipping is due: later while a worker is at it, and after a failure.
    ship_at = models.DateTimeField(default=timezone.now)
    ship_failures = models.PositiveIntegerField(default=0)
    ship_error = models.TextField(blank=True)
