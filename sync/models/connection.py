"""The two halves of a tenant's connection, and their tests. Secrets are sealed: see sync/connection/sealing.py."""

import datetime
from collections.abc import Mapping
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.models.tenant import Tenant


class Half(models.TextChoices):
    ENTRA = "entra", _("Microsoft Entra ID")
    AWS = "aws", _("AWS IAM Identity Center")


class Tested(models.Model):
    """What was saved, by whom, and how its test ended: it has passed only if the test was of exactly what is stored now."""

    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.CharField(max_length=254, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    test_passed = models.BooleanField(default=False)

    class Meta:
        abstract = True

    @property
    def passed(self) -> bool:
        return bool(self.test_passed and self.tested_at and self.changed_at and self.tested_at >= self.changed_at)


class Connection(Tested):
    """What both halves share."""

    HALF: ClassVar[Half]
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.HALF.label)


class EntraConnection(Connection):
    HALF = Half.ENTRA

    class CredentialKind(models.TextChoices):
        SECRET = "secret", _("Client secret")
        CERTIFICATE = "certificate", _("Certificate")
        FEDERATED = "federated", _("Federated credential (no secret)")

    tenant = models.OneToOneField(Tenant, models.CASCADE, related_name="entra")
    cloud = models.CharField(_("cloud"), max_length=40, default="global")
    directory_id = models.CharField(_("directory (tenant) ID"), max_length=255, blank=True)
    client_id = models.CharField(_("application (client) ID"), max_length=64, blank=True)
    credential_kind = models.CharField(
        _("credential"), max_length=12, choices=CredentialKind, default=CredentialKind.SECRET
    )
    sealed_credential = models.TextField(blank=True)
    # The last characters of a secret, or a certificate's thumbprint: enough to tell two apart.
    credential_hint = models.CharField(max_length=64, blank=True)
    credential_ends_on = models.DateField(_("end date"), null=True, blank=True)
    directory_name = models.CharField(max_length=255, blank=True)

    @property
    def complete(self) -> bool:
        return bool(self.directory_id and self.client_id and self.has_credential)

    @property
    def has_credential(self) -> bool:
        """A federated one is nothing that is stored."""
        return self.credential_kind == self.CredentialKind.FEDERATED or bool(self.sealed_credential)


class AwsConnection(Connection):
    HALF = Half.AWS
    tenant = models.OneToOneField(Tenant, models.CASCADE, related_name="aws")
    endpoint = models.CharField(_("SCIM endpoint"), max_length=500, blank=True)
    sealed_token = models.TextField(blank=True)
    token_hint = models.CharField(max_length=64, blank=True)
    token_created_on = models.DateField(_("date the token was created"), null=True, blank=True)

    @property
    def complete(self) -> bool:
        return bool(self.endpoint and self.sealed_token)

    @property
    def token_ends_on(self) -> datetime.date | None:
        return year_after(self.token_created_on)


def year_after(created: datetime.date | None) -> datetime.date | None:
    """AWS tokens last one year (User Guide, provision-automatically); no API tells their end."""
    return created + datetime.timedelta(days=365) if created else None


class SecondCredential(Tested):
    """Beside the one in use: the next one until the switch, the former one after it. AWS and Entra take both meanwhile.

    It is sealed for the same destination, so that a switch is an exchange of the two.
    """

    class State(models.TextChoices):
        NEXT = "next", _("Next")
        FORMER = "former", _("Former")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="second_credentials")
    half = models.CharField(max_length=5, choices=Half)
    state = models.CharField(max_length=6, choices=State, default=State.NEXT)
    switched_at = models.DateTimeField(null=True, blank=True)
    # A kind of EntraConnection; empty for AWS.
    kind = models.CharField(max_length=12, blank=True)
    sealed = models.TextField(blank=True)
    hint = models.CharField(max_length=64, blank=True)
    # Of Entra's, and of AWS's.
    ends_on = models.DateField(null=True, blank=True)
    created_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "half"], name="one_second_credential")]

    # Of a connection -> of the second credential.
    EXCHANGED: Mapping[str, Mapping[str, str]] = {
        Half.ENTRA: {
            "credential_kind": "kind",
            "sealed_credential": "sealed",
            "credential_hint": "hint",
            "credential_ends_on": "ends_on",
        },
        Half.AWS: {"sealed_token": "sealed", "token_hint": "hint", "token_created_on": "created_on"},
    }
    TESTED = ("changed_at", "changed_by", "tested_at", "test_passed")

    def __str__(self) -> str:
        return str(self.get_half_display())

    @property
    def kind_label(self) -> str:
        return str(EntraConnection.CredentialKind(self.kind).label) if self.kind else ""

    @property
    def ends(self) -> datetime.date | None:
        return year_after(self.created_on) if self.half == Half.AWS else self.ends_on

    def exchange(self, connection: Connection) -> None:
        """Neither is saved by this."""
        names = {**self.EXCHANGED[self.half], **{name: name for name in self.TESTED}}
        for theirs, ours in names.items():
            mine = getattr(self, ours)
            setattr(self, ours, getattr(connection, theirs))
            setattr(connection, theirs, mine)


class ConnectionTest(models.Model):
    """One press of *Test connection*: named checks with their outcome, written one by one as they finish."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="connection_tests")
    half = models.CharField(max_length=5, choices=Half)
    # Of the second credential, in place of the one in use.
    second = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    requested_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    passed = models.BooleanField(default=False)
    # [{"id": "A3", "state": "failed", "milliseconds": 112, "code": "token-refused", "facts": {...},
    #   "request": "GET /Users?count=1", "status": 401, "answer": "..."}]; words come from sync.checks_table
    checks = models.JSONField(default=list)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return str(self.get_half_display())
