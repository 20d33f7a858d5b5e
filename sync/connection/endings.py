"""When which credential ends, over tenants: what the calendar shows."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from sync.connection.services import ends_of
from sync.models import EntraConnection, Half, SecondCredential, Tenant


@dataclass(frozen=True)
class CredentialEnd:
    """`ends_on` None: nobody said, or (`lasting`) there is nothing that could end. `second`: its word, if it is one."""

    tenant: Tenant
    half: Half
    kind: str
    hint: str
    ends_on: datetime.date | None
    lasting: bool = False
    second: str = ""

    def days_left(self, today: datetime.date) -> int | None:
        return (self.ends_on - today).days if self.ends_on else None


def credential_ends(tenants: Iterable[Tenant]) -> list[CredentialEnd]:
    """The next end first; those without a date last."""
    found = [end for tenant in tenants for end in _of_tenant(tenant)]
    return sorted(found, key=lambda end: (end.ends_on or datetime.date.max, end.tenant.name, end.half))


def _of_tenant(tenant: Tenant) -> list[CredentialEnd]:
    entra, aws = tenant.entra, tenant.aws
    found = []
    if entra.complete:
        federated = entra.credential_kind == EntraConnection.CredentialKind.FEDERATED
        kind = entra.get_credential_kind_display()
        found.append(CredentialEnd(tenant, Half.ENTRA, kind, entra.credential_hint, ends_of(entra), lasting=federated))
    if aws.complete:
        found.append(CredentialEnd(tenant, Half.AWS, "", aws.token_hint, ends_of(aws)))
    return found + [_of_second(tenant, second) for second in tenant.second_credentials.all()]


def _of_second(tenant: Tenant, second: SecondCredential) -> CredentialEnd:
    return CredentialEnd(
        tenant,
        Half(second.half),
        second.kind_label,
        second.hint,
        second.ends,
        lasting=second.kind == EntraConnection.CredentialKind.FEDERATED,
        second=second.get_state_display(),
    )
