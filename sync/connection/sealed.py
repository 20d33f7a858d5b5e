"""Which columns hold sealed secrets, and what each is bound to: whose it is, where it stands, whom it is sent to.

Whoever adds a column for a secret adds it to COLUMNS: key rotation and the page of keys go by this list. (portal adds the
second factors of people.)
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models

from sync.models import AwsConnection, Channel, EntraConnection, Half, SecondCredential


@dataclass(frozen=True)
class SealedColumn:
    """`context`: what the seal of a row is bound to. `label`: what the row is, for people. `related`: what the two ask for."""

    model: type[models.Model]
    field: str
    context: Callable[[Any], str]
    label: Callable[[Any], str]
    related: tuple[str, ...] = ("tenant",)

    def rows(self) -> models.QuerySet[Any]:
        """Those that hold a secret."""
        found = self.model._default_manager.exclude(**{self.field: ""}).order_by("pk")
        return found.select_related(*self.related)

    def read(self, row: Any) -> str:
        return str(getattr(row, self.field))

    def write(self, row: Any, sealed: str) -> None:
        setattr(row, self.field, sealed)
        row.save(update_fields=[self.field])

    def empty(self, row: Any) -> None:
        """What was sealed is lost."""
        self.model._default_manager.filter(pk=row.pk).update(**{self.field: ""})


def credential_context(entra: EntraConnection) -> str:
    """A secret of Entra opens for this directory and app only: it is sent nowhere else."""
    destination = json.dumps([entra.cloud, entra.directory_id, entra.client_id])
    return f"tenant:{entra.tenant_id}:entra.credential:{destination}"


def token_context(aws: AwsConnection) -> str:
    """A token opens for this endpoint only."""
    return f"tenant:{aws.tenant_id}:aws.token:{json.dumps([aws.endpoint])}"


def second_context(second: SecondCredential) -> str:
    """The same as of the one in use: they change places."""
    tenant = second.tenant
    return token_context(tenant.aws) if second.half == Half.AWS else credential_context(tenant.entra)


def channel_context(channel: Channel) -> str:
    """The whole address is sealed together with what signs the messages to it: neither opens for another host."""
    return f"tenant:{channel.tenant_id}:channel:{json.dumps([channel.kind, channel.host])}"


COLUMNS: list[SealedColumn] = [
    SealedColumn(
        EntraConnection,
        "sealed_credential",
        credential_context,
        lambda entra: f"{entra.tenant.name}: {entra.get_credential_kind_display()}",
    ),
    SealedColumn(AwsConnection, "sealed_token", token_context, lambda aws: f"{aws.tenant.name}: AWS"),
    SealedColumn(
        SecondCredential,
        "sealed",
        second_context,
        lambda second: f"{second.tenant.name}: {second.get_half_display()}, {second.get_state_display()}",
        ("tenant__entra", "tenant__aws"),
    ),
    SealedColumn(
        Channel,
        "sealed",
        channel_context,
        lambda channel: f"{channel.tenant.name}: {channel.get_kind_display()}, {channel.name}",
    ),
]
