"""The secrets of second factors among those that key rotation seals again: an app's key, the seed of recovery codes."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet

from sync.connection.sealed import COLUMNS, SealedColumn

# What they are bound to. Passkeys have no secret here.
SEALED_FOR = "second factor"
PLACES = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}


class SealedFactors(SealedColumn):
    def rows(self) -> QuerySet[Any]:
        found: QuerySet[Any] = Authenticator.objects.filter(type__in=PLACES).order_by("pk").select_related("user")
        return found

    def read(self, row: Authenticator) -> str:
        return str(row.data[PLACES[row.type]])

    def write(self, row: Authenticator, sealed: str) -> None:
        row.data[PLACES[row.type]] = sealed
        row.save(update_fields=["data"])

    def empty(self, row: Authenticator) -> None:
        """The person sets one up anew at the next sign-in, before any page opens."""
        row.delete()


COLUMNS.append(
    SealedFactors(
        Authenticator,
        "data",
        lambda _factor: SEALED_FOR,
        lambda factor: f"{factor.user.email}: {factor.get_type_display()}",
        ("user",),
    )
)
