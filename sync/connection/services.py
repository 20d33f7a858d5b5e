"""The two halves of a tenant's connection: save what admins enter, test it, remember what came of it."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Literal, TypeVar

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync import audit, queue
from sync.connection import checks
from sync.connection.certificates import read_certificate, thumbprint
from sync.connection.checks.wording import describe
from sync.connection.clients import scim_endpoint
from sync.connection.sealed import credential_context, token_context
from sync.connection.sealing import CannotOpen, seal, unseal
from sync.models import AwsConnection, ConnectionTest, EntraConnection, Half, SecondCredential, Tenant
from sync.models.connection import Connection
from sync.runs import quarantine
from sync.runs.outages import is_outage

log = structlog.get_logger(__name__)

Kind = TypeVar("Kind", bound=Connection)

# AWS asks for a new token from 90 days before the end (user guide, rotate-token).
ENDS_SOON = datetime.timedelta(days=90)
# After this a test that never finished no longer stands in the way of a new one.
STALE_TEST = datetime.timedelta(minutes=5)
# A secret goes nowhere but where it was entered for: whoever names another place has to have the secret.
CREDENTIAL_AGAIN = _("Cloud, directory or app has changed. Enter the credential that is valid there.")
TOKEN_AGAIN = _("The endpoint has changed. Enter the access token that is valid there.")
FEDERATED = EntraConnection.CredentialKind.FEDERATED
ENTRA_FACTS = ("cloud", "directory_id", "client_id", "credential_kind", "credential_ends_on")
AWS_FACTS = ("endpoint", "token_created_on")


@dataclass(frozen=True)
class Given:
    """A credential as it was entered. `hint`: enough to tell two apart. `ends_on`: where it says so itself."""

    text: str = field(repr=False)
    hint: str
    ends_on: datetime.date | None = None


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
    """`credential`: a secret's value, or PEM of key and certificate; None keeps the stored one. A federated one has none.

    A certificate brings its own end date. Raises ValidationError when the PEM cannot be used, and when a stored secret
    would be sent to another directory, cloud or app than it was entered for."""
    entra = EntraConnection.objects.select_for_update().get(tenant=tenant)
    before, bound_to = _visible(entra, ENTRA_FACTS), credential_context(entra)
    entra.cloud = cloud
    entra.directory_id = directory_id.strip().lower()
    entra.client_id = client_id.strip().lower()
    entra.credential_ends_on = ends_on
    if credential_context(entra) != bound_to:
        if credential is None and entra.sealed_credential and credential_kind != FEDERATED:
            raise ValidationError(CREDENTIAL_AGAIN, code="destination-changed")
        SecondCredential.objects.filter(tenant=tenant, half=Half.ENTRA).delete()
    replaced = _set_credential(entra, credential_kind, credential)
    return _save(entra, actor, before, _visible(entra, ENTRA_FACTS), replaced and "credential")


@transaction.atomic
def save_aws(
    *, tenant: Tenant, actor: str, endpoint: str, token: str | None, token_created_on: datetime.date | None
) -> AwsConnection:
    """`token` None keeps the stored one. Raises ValueError (the sentence to show) for what is no endpoint, and
    ValidationError when the stored token would be sent to another endpoint than it was entered for."""
    aws = AwsConnection.objects.select_for_update().get(tenant=tenant)
    before, bound_to = _visible(aws, AWS_FACTS), token_context(aws)
    aws.endpoint = scim_endpoint(endpoint).base
    aws.token_created_on = token_created_on
    if token_context(aws) != bound_to:
        if token is None and aws.sealed_token:
            raise ValidationError(TOKEN_AGAIN, code="destination-changed")
        SecondCredential.objects.filter(tenant=tenant, half=Half.AWS).delete()
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


def _set_credential(entra: EntraConnection, kind: str, credential: str | None) -> bool:
    if kind == FEDERATED:
        entra.credential_kind, entra.sealed_credential, entra.credential_hint = kind, "", ""
        entra.credential_ends_on = None
        return False
    if credential is None:
        return False
    entra.credential_kind = kind
    given = read_credential(kind, credential)
    entra.credential_ends_on = given.ends_on or entra.credential_ends_on
    context = credential_context(entra)
    if opens_to(entra.sealed_credential, context) == given.text:
        return False
    entra.sealed_credential, entra.credential_hint = seal(given.text, context), given.hint
    return True


def read_credential(kind: str, credential: str) -> Given:
    """Raises ValidationError when a certificate cannot be used."""
    if kind == EntraConnection.CredentialKind.CERTIFICATE:
        certificate = read_certificate(credential)
        return Given(credential, thumbprint(certificate), certificate.not_valid_after_utc.date())
    text = credential.strip()
    return Given(text, text[-2:])


def _set_token(aws: AwsConnection, token: str) -> bool:
    context = token_context(aws)
    if opens_to(aws.sealed_token, context) == token:
        return False
    aws.sealed_token, aws.token_hint = seal(token, context), token[-2:]
    return True


def opens_to(sealed: str, context: str) -> str | None:
    """What is stored, or None: a text that no key opens any more is simply replaced."""
    try:
        return unseal(sealed, context) if sealed else None
    except CannotOpen:
        return None


def clean_token(token: str) -> str:
    """Tokens hold no white space: line breaks come from the clipboard, "Bearer" from an example."""
    return re.sub(r"\s+", "", re.sub(r"^\s*Bearer\s+", "", token))


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
def start_test(*, tenant: Tenant, actor: str, half: str, second: bool = False) -> ConnectionTest:
    """Queue a test of one half, or of its second credential. A second press while one is under way gives the same test."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    under_way = tenant.connection_tests.filter(
        half=half, second=second, created_at__gt=timezone.now() - STALE_TEST, finished_at=None
    ).first()
    if under_way:
        return under_way
    test = new_test(tenant=tenant, actor=actor, half=half, second=second)
    transaction.on_commit(lambda: queue.send(queue.TEST_CONNECTION, test.pk))
    return test


def new_test(*, tenant: Tenant, actor: str, half: str, second: bool = False) -> ConnectionTest:
    test = ConnectionTest.objects.create(
        tenant=tenant, half=half, second=second, requested_by=actor, checks=checks.waiting(half)
    )
    audit.record(actor, "connection.test", test, None, {"half": half, "second": second})
    return test


def run_test(test_id: int) -> None:
    """Carry out a test, check by check. A finished one stays; a broken-off one starts anew: it only reads.

    Raises the database's error when it goes away meanwhile, and whatever nobody foresaw: that ends the test."""
    test = ConnectionTest.objects.select_related("tenant").get(pk=test_id)
    if test.state == ConnectionTest.State.DONE:
        return
    # The start, read before the credentials are: a change during the test makes the test one of old values.
    started = timezone.now()
    ConnectionTest.objects.filter(pk=test.pk).update(state=ConnectionTest.State.RUNNING)
    log.info("test begins", tenant=test.tenant.slug, half=test.half, second=test.second)
    try:
        for rows in checks.run(test.tenant, test.half, second=test.second):
            test.checks = rows
            test.save(update_fields=["checks"])
    except Exception as error:
        if is_outage(error):
            raise
        test.checks = checks.broken_off(test.checks)
        remember(test, started)
        raise
    remember(test, started)


def _tell(test: ConnectionTest, started: datetime.datetime) -> None:
    """`failed`: checks by their ids, as the page has them."""
    seconds = round((timezone.now() - started).total_seconds(), 3)
    failed = [row["id"] for row in test.checks if row["state"] == "failed"]
    facts = {"tenant": test.tenant.slug, "half": test.half, "second": test.second, "seconds": seconds, "failed": failed}
    transaction.on_commit(partial(log.warning if failed else log.info, "test ended", **facts))


@transaction.atomic
def remember(test: ConnectionTest, started: datetime.datetime) -> None:
    """Close the test; its half takes the result unless a later test already gave one."""
    test.state = ConnectionTest.State.DONE
    test.finished_at = timezone.now()
    test.passed = checks.all_passed(test.checks)
    test.save(update_fields=["state", "finished_at", "passed", "checks"])
    _tell(test, started)
    result = {"tested_at": started, "test_passed": checks.half_works(test.checks)}
    older = Q(tested_at=None) | Q(tested_at__lte=started)
    if test.second:
        SecondCredential.objects.filter(older, tenant=test.tenant, half=test.half).update(**result)
        return
    if result["test_passed"]:
        quarantine.try_now(test.tenant, test.half)
    if test.half == Half.AWS:
        AwsConnection.objects.filter(older, tenant=test.tenant).update(**result)
        return
    name = checks.fact(test.checks, "organization")
    EntraConnection.objects.filter(older, tenant=test.tenant).update(**result, directory_name=name)


def first_failure(tenant: Tenant, half: str) -> str:
    """What the newest finished test of a half failed on first, in one sentence; "" when it failed on nothing."""
    test = tenant.connection_tests.filter(half=half, second=False, state=ConnectionTest.State.DONE).first()
    failed = next((row for row in test.checks if row["state"] == "failed"), None) if test else None
    return describe(failed).title if failed else ""
