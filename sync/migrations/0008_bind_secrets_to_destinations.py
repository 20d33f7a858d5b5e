"""Secrets were bound to their tenant and place; now they are bound to whom they are sent to as well."""

import json
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError
from django.db import migrations

from sync.connection.sealing import CannotOpen, seal, unseal

Contexts = tuple[str, str]


def entra_contexts(row: Any) -> Contexts:
    place = f"tenant:{row.tenant_id}:entra.credential"
    return place, f"{place}:{json.dumps([row.cloud, row.directory_id, row.client_id])}"


def aws_contexts(row: Any) -> Contexts:
    place = f"tenant:{row.tenant_id}:aws.token"
    return place, f"{place}:{json.dumps([row.endpoint])}"


COLUMNS: tuple[tuple[str, str, Callable[[Any], Contexts]], ...] = (
    ("EntraConnection", "sealed_credential", entra_contexts),
    ("AwsConnection", "sealed_token", aws_contexts),
)


def bind(apps: Any, _editor: Any) -> None:
    _seal_again(apps, lambda contexts: contexts)


def unbind(apps: Any, _editor: Any) -> None:
    _seal_again(apps, lambda contexts: (contexts[1], contexts[0]))


def _seal_again(apps: Any, direction: Callable[[Contexts], Contexts]) -> None:
    """All rows or none: what cannot be opened stops here, and the version before still runs."""
    for name, field, contexts in COLUMNS:
        model = apps.get_model("sync", name)
        for row in model.objects.select_related("tenant").exclude(**{field: ""}):
            of, to = direction(contexts(row))
            setattr(row, field, seal(_opened(getattr(row, field), of, row.tenant.name), to))
            row.save(update_fields=[field])


def _opened(sealed: str, context: str, tenant: str) -> str:
    try:
        return unseal(sealed, context)
    except CannotOpen as error:
        raise CommandError(
            f"A stored secret of the tenant “{tenant}” cannot be opened: {error} Nothing was changed. Put its key into "
            "SEAL_KEYS, or enter the secret again with the version of Lockstep that you come from; then migrate again."
        ) from error


class Migration(migrations.Migration):
    dependencies = [("sync", "0007_never_touch")]
    operations = [migrations.RunPython(bind, unbind)]
