"""The two halves of a tenant's connection: save what admins enter, test it, remember what came of it."""

import datetime
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync import audit, queue
from sync.connection import checks
from sync.connection.checks.wording import describe
from sync.connection.clients import credential_context, scim_endpoint, token_context
from sync.connection.sealing import CannotOpen, seal, unseal
from sync.models import AwsConnection, ConnectionTest, EntraConnection, Half, Tenant
from sync.models.connection import Connection
from sync.runs import quarantine
from sync.runs.outages import is_outage

Kind = TypeVar("Kind", bound=Connection)

# AWS asks for a new token from 90 days before the end (user guide, rotate-token).
ENDS_SOON = datetime.timedelta(days=90)
# After this a test that never finished no longer stands in the way of a new one.
STALE_TEST = datetime.timedelta(minutes=5)
ENTRA_FACTS = ("cloud", "directory_id", "client_id", "credential_kind", "credential_ends_on")
AWS_FACTS = ("endpoint", "token_created_on")


class HalfState(StrEnum):
    NOT_TESTED = "not_tested"
    WORKING = "working"
    ENDS_SOON = "ends_soon"
    FAILING = "failing"
    ENDED = "ended"


@transaction.atomic
def save_entra(
    *,
    tenant: Tenant,
    actor: str,
    cloud: str,
    directory_id: str,
    client_id: str,
    credential_kind: str,
    credential: str | None,
    ends_on: datetime.date | None,
) -> EntraConnection:
    """`credential`: a secret's value, or PEM of key and certificate; None keeps the stored one.

    A certificate brings its own end date. Raises ValidationError when the PEM cannot be used."""
    entra = EntraConnection.objects.select_for_update().get(tenant=tenant)
    before = _visible(entra, ENTRA_FACTS)
    entra.cloud = cloud
    entra.directory_id = directory_id.strip().lower()
    entra.client_id = client_id.strip().lower()
    entra.credential_ends_on = ends_on
    replaced = credential is not None and _set_credential(entra, credential_kind, credential)
    return _save(entra, actor, before, _visible(entra, ENTRA_FACTS), replaced and "credential")


@transaction.atomic
def save_aws(
    *, tenant: Tenant, actor: str, endpoint: str, token: str | None, token_created_on: datetime.date | None
) -> AwsConnection:
    """`token` None keeps the stored one. Raises ValueError (the sentence to show) for what is no endpoint."""
    aws = AwsConnection.objects.select_for_update().get(tenant=tenant)
    before = _visible(aws, AWS_FACTS)
    aws.endpoint = scim_endpoint(endpoint).base
    aws.token_created_on = token_created_on
    replaced = token is not None and _set_token(aws, clean_token(token))
    return _save(aws, actor, before, _visible(aws, AWS_FACTS), replaced and "token")


@transaction.atomic
def connect(tenant: Tenant, facts: Mapping[str, str], *, actor: str) -> None:
    """Both halves, by the facts that a lab prints when it is ready (`python -m lab`)."""
    today = timezone.localdate()
    save_entra(
        tenant=tenant,
        actor=actor,
        cloud="lab",
        directory_id=facts["directory_id"],
        client_id=facts["client_id"],
        credential_kind=EntraConnection.CredentialKind.SECRET,
        credential=facts["client_secret"],
        ends_on=today + datetime.timedelta(days=365),
    )
    save_aws(
        tenant=tenant,
        actor=actor,
        endpoint=facts["scim_endpoint"],
        token=facts["scim_token"],
        token_created_on=today,
    )


def _visible(connection: Connection, facts: tuple[str, ...]) -> dict[str, Any]:
    return {name: str(getattr(connection, name) or "") for name in facts}


def _save(
    connection: Kind,
    actor: str,
    before: dict[str, Any],
    after: dict[str, Any],
    replaced: str | Literal[False],
) -> Kind:
    """Equal values change nothing, so that a passed test stays one. `replaced`: the secret that is new."""
    if before == after and not replaced:
        return connection
    connection.changed_at = timezone.now()
    connection.changed_by = actor
    connection.save()
    half = half_of(connection)
    secret = {replaced: "changed"} if replaced else {}
    audit.record(actor, f"connection.{half}.save", connection, before, {**after, **secret})
    return connection


def _set_credential(entra: EntraConnection, kind: str, credential: str) -> bool:
    entra.credential_kind = kind
    if kind == EntraConnection.CredentialKind.CERTIFICATE:
        certificate = read_certificate(credential)
        entra.credential_ends_on = certificate.not_valid_after_utc.date()
        hint = certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - the name Entra shows it by
    else:
        credential = credential.strip()
        hint = credential[-2:]
    context = credential_context(entra.tenant)
    if _opens_to(entra.sealed_credential, context) == credential:
        return False
    entra.sealed_credential, entra.credential_hint = seal(credential, context), hint
    return True


def _set_token(aws: AwsConnection, token: str) -> bool:
    context = token_context(aws.tenant)
    if _opens_to(aws.sealed_token, context) == token:
        return False
    aws.sealed_token, aws.token_hint = seal(token, context), token[-2:]
    return True


def _opens_to(sealed: str, context: str) -> str | None:
    """What is stored, or None: a text that no key opens any more is simply replaced."""
    try:
        return unseal(sealed, context) if sealed else None
    except CannotOpen:
        return None


def clean_token(token: str) -> str:
    """Tokens hold no white space: line breaks come from the clipboard, "Bearer" from an example."""
    return re.sub(r"\s+", "", re.sub(r"^\s*Bearer\s+", "", token))


def read_certificate(pem: str) -> x509.Certificate:
    """The certificate of a PEM text that also holds its key. Raises ValidationError with what is wrong."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise ValidationError(
            _("The text holds no certificate. Paste the part from BEGIN CERTIFICATE to END CERTIFICATE too."),
            code="no-certificate",
        ) from error
    try:
        key = serialization.load_pem_private_key(_private_key_of(pem), password=None)
    except (ValueError, TypeError) as error:
        raise ValidationError(
            _("The text holds no private key without a pass phrase. Paste the BEGIN PRIVATE KEY part too."),
            code="no-private-key",
        ) from error
    if _public(key.public_key()) != _public(certificate.public_key()):
        raise ValidationError(
            _("The private key belongs to another certificate. Paste the two that were made together."),
            code="other-key",
        )
    return certificate


def _private_key_of(pem: str) -> bytes:
    found = re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", pem, re.DOTALL)
    return found.group().encode() if found else b""


def _public(key: Any) -> bytes:
    return bytes(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def half_state(connection: EntraConnection | AwsConnection) -> HalfState:
    """The word on the card, from what is stored alone: the newest test, and runs that failed since."""
    today = timezone.now().date()
    ends_on = ends_of(connection)
    if not connection.complete or not tested_as_stored(connection):
        return HalfState.NOT_TESTED
    if ends_on and ends_on < today:
        return HalfState.ENDED
    if not connection.passed or refused_since(connection):
        return HalfState.FAILING
    return HalfState.ENDS_SOON if ends_on and ends_on - today <= ENDS_SOON else HalfState.WORKING


def refused_since(connection: EntraConnection | AwsConnection) -> bool:
    """A run was refused after the newest test."""
    if quarantine.failing_half(connection.tenant) != half_of(connection):
        return False
    failed_at = quarantine.last_failure(connection.tenant)
    return bool(failed_at and connection.tested_at and connection.tested_at < failed_at)


def works_again(tenant: Tenant) -> bool:
    """The half that the quarantine is about passed a test since: the next try is under way."""
    half = quarantine.failing_half(tenant)
    return bool(half) and half_state(getattr(tenant, half)) in (HalfState.WORKING, HalfState.ENDS_SOON)


def half_of(connection: Connection) -> Half:
    return Half.AWS if isinstance(connection, AwsConnection) else Half.ENTRA


def tested_as_stored(connection: Connection) -> bool:
    tested, changed = connection.tested_at, connection.changed_at
    return bool(tested and changed and tested >= changed)


def ends_of(connection: EntraConnection | AwsConnection) -> datetime.date | None:
    return connection.token_ends_on if isinstance(connection, AwsConnection) else connection.credential_ends_on


@transaction.atomic
def start_test(*, tenant: Tenant, actor: str, half: str) -> ConnectionTest:
    """Queue a test of one half. A second press while one is under way gives the same test."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    under_way = tenant.connection_tests.filter(
        half=half, created_at__gt=timezone.now() - STALE_TEST, finished_at=None
    ).first()
    if under_way:
        return under_way
    test = new_test(tenant=tenant, actor=actor, half=half)
    transaction.on_commit(lambda: queue.send(queue.TEST_CONNECTION, test.pk))
    return test


def new_test(*, tenant: Tenant, actor: str, half: str) -> ConnectionTest:
    return ConnectionTest.objects.create(tenant=tenant, half=half, requested_by=actor, checks=checks.waiting(half))


def run_test(test_id: int) -> None:
    """Carry out a test, check by check. A finished one stays; a broken-off one starts anew: it only reads.

    Raises the database's error when it goes away meanwhile, and whatever nobody foresaw: that ends the test."""
    test = ConnectionTest.objects.select_related("tenant").get(pk=test_id)
    if test.state == ConnectionTest.State.DONE:
        return
    # The start, read before the credentials are: a change during the test makes the test one of old values.
    started = timezone.now()
    ConnectionTest.objects.filter(pk=test.pk).update(state=ConnectionTest.State.RUNNING)

    try:
        for rows in checks.run(test.tenant, test.half):
            test.checks = rows
            test.save(update_fields=["checks"])
    except Exception as error:
        if is_outage(error):
            raise
        test.checks = checks.broken_off(test.checks)
        remember(test, started)
        raise
    remember(test, started)


@transaction.atomic
def remember(test: ConnectionTest, started: datetime.datetime) -> None:
    """Close the test; its half takes the result unless a later test already gave one."""
    test.state = ConnectionTest.State.DONE
    test.finished_at = timezone.now()
    test.passed = checks.all_passed(test.checks)
    test.save(update_fields=["state", "finished_at", "passed", "checks"])
    result = {"tested_at": started, "test_passed": checks.half_works(test.checks)}
    if result["test_passed"]:
        quarantine.try_now(test.tenant, test.half)
    older = Q(tested_at=None) | Q(tested_at__lte=started)
    if test.half == Half.AWS:
        AwsConnection.objects.filter(older, tenant=test.tenant).update(**result)
        return
    name = checks.fact(test.checks, "organization")
    EntraConnection.objects.filter(older, tenant=test.tenant).update(**result, directory_name=name)


def first_failure(tenant: Tenant, half: str) -> str:
    """What the newest finished test of a half failed on first, in one sentence; "" when it failed on nothing."""
    test = tenant.connection_tests.filter(half=half, state=ConnectionTest.State.DONE).first()
    failed = next((row for row in test.checks if row["state"] == "failed"), None) if test else None
    return describe(failed).title if failed else ""
