"""A credential is replaced without a gap: enter the second, test it, switch, wait for a good run, delete the former.

AWS takes two access tokens at a time (user guide, rotate-token), Entra any number of credentials of an app: until the
former one is deleted there, the way back is open.
"""

import datetime
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync import audit
from sync.connection.certificates import public_part
from sync.connection.sealed import credential_context, token_context
from sync.connection.sealing import seal
from sync.connection.services import FEDERATED, Given, clean_token, opens_to, read_credential
from sync.models import AwsConnection, EntraConnection, Half, SecondCredential, Tenant


class Stage(StrEnum):
    """Where a replacement stands: what is to be done next."""

    ENTER = "enter"
    TEST = "test"
    SWITCH = "switch"
    WAIT = "wait"
    DELETE = "delete"


def connection_of(tenant: Tenant, half: str, *, lock: bool = False) -> EntraConnection | AwsConnection:
    model: type[EntraConnection] | type[AwsConnection] = AwsConnection if half == Half.AWS else EntraConnection
    rows = model._default_manager.select_related("tenant")
    found: EntraConnection | AwsConnection = (rows.select_for_update(of=("self",)) if lock else rows).get(tenant=tenant)
    return found


def second_of(tenant: Tenant, half: str) -> SecondCredential | None:
    return SecondCredential.objects.filter(tenant=tenant, half=half).first()


def public_certificate(tenant: Tenant, *, second: bool) -> bytes | None:
    """Of the certificate in use, or of the next one; None where there is none, or where it does not open."""
    entra = connection_of(tenant, Half.ENTRA)
    if second and (found := second_of(tenant, Half.ENTRA)):
        found.exchange(entra)
    assert isinstance(entra, EntraConnection)
    if entra.credential_kind != EntraConnection.CredentialKind.CERTIFICATE:
        return None
    pem = opens_to(entra.sealed_credential, credential_context(entra))
    return public_part(pem) if pem else None


def stage_of(tenant: Tenant, half: str) -> Stage:
    second = second_of(tenant, half)
    if second is None:
        return Stage.ENTER
    if second.state == SecondCredential.State.NEXT:
        return Stage.SWITCH if second.passed else Stage.TEST
    return Stage.DELETE if _was_used(tenant, second) else Stage.WAIT


def _was_used(tenant: Tenant, second: SecondCredential) -> bool:
    """A run that did its work since the switch; the connection notes that only after a good one."""
    used = connection_of(tenant, second.half).last_used_at
    return bool(used and second.switched_at and used > second.switched_at)


@transaction.atomic
def enter_credential(
    *, tenant: Tenant, actor: str, kind: str, credential: str | None, ends_on: datetime.date | None
) -> SecondCredential:
    """The next credential of Entra. Raises ValidationError when a certificate cannot be used, or none is needed yet."""
    entra = connection_of(tenant, Half.ENTRA, lock=True)
    assert isinstance(entra, EntraConnection)
    given = Given("", "") if kind == FEDERATED else read_credential(kind, credential or "")
    sealed = seal(given.text, credential_context(entra)) if given.text else ""
    return _enter(entra, actor, kind=kind, sealed=sealed, hint=given.hint, ends_on=given.ends_on or ends_on)


@transaction.atomic
def enter_token(*, tenant: Tenant, actor: str, token: str, created_on: datetime.date) -> SecondCredential:
    """The next access token of AWS."""
    aws = connection_of(tenant, Half.AWS, lock=True)
    assert isinstance(aws, AwsConnection)
    text = clean_token(token)
    return _enter(aws, actor, sealed=seal(text, token_context(aws)), hint=text[-2:], created_on=created_on)


def _enter(connection: EntraConnection | AwsConnection, actor: str, **facts: object) -> SecondCredential:
    half = _half(connection)
    if not connection.complete:
        raise ValidationError(_("There is no credential yet that could be replaced."), code="nothing-to-replace")
    former = SecondCredential.objects.filter(tenant=connection.tenant, half=half, state=SecondCredential.State.FORMER)
    if former.exists():
        raise ValidationError(_("The former credential is not deleted yet. Finish that first."), code="former-open")
    now = timezone.now()
    second, _made = SecondCredential.objects.update_or_create(
        tenant=connection.tenant,
        half=half,
        defaults={"changed_at": now, "changed_by": actor, "tested_at": None, "test_passed": False, **facts},
    )
    _record(actor, "enter", second)
    return second


@transaction.atomic
def switch(*, tenant: Tenant, actor: str, half: str) -> SecondCredential:
    """The two change places; a switch again is the way back. Raises ValidationError unless the second has passed its test."""
    connection = connection_of(tenant, half, lock=True)
    second = SecondCredential.objects.select_for_update().filter(tenant=tenant, half=half).first()
    if second is None or (second.state == SecondCredential.State.NEXT and not second.passed):
        raise ValidationError(_("Test the second credential first: only one that works takes over."), code="not-tested")
    second.exchange(connection)
    forward = second.state == SecondCredential.State.NEXT
    second.state = SecondCredential.State.FORMER if forward else SecondCredential.State.NEXT
    second.switched_at = timezone.now()
    connection.save()
    second.save()
    _record(actor, "switch", second)
    return second


@transaction.atomic
def remove(*, tenant: Tenant, actor: str, half: str) -> None:
    """The second one goes: it was deleted at the vendor, or is not wanted any more."""
    for second in SecondCredential.objects.select_for_update().filter(tenant=tenant, half=half):
        _record(actor, "remove", second)
        second.delete()


def _record(actor: str, verb: str, second: SecondCredential) -> None:
    facts = {"half": second.half, "kind": second.kind, "state": second.state, "hint": second.hint}
    audit.record(actor, f"credential.{verb}", second, None, facts)


def _half(connection: EntraConnection | AwsConnection) -> Half:
    return Half.AWS if isinstance(connection, AwsConnection) else Half.ENTRA
