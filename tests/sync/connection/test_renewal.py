"""A second credential takes over without a gap, on both sides, and the former one is named for deletion."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from sync.connection import certificates, clients, renewal, services
from sync.connection.renewal import Stage
from sync.models import AuditEntry, EntraConnection, Run, SecondCredential, Tenant
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]


@pytest.fixture(autouse=True)
def two_tokens_at_most(lab: Lab) -> Iterator[None]:
    """What a test made in AWS and Entra is deleted there; the lab's facts name what is left."""
    yield
    for fact, call in (("scim_token", "aws/token"), ("client_secret", "entra/secret")):
        lab.facts[fact] = lab.call("POST", call, {"action": "renew"})["secret"]


TODAY = datetime.date(2026, 11, 28)


def enter_token(tenant: Tenant, token: str) -> SecondCredential:
    return renewal.enter_token(tenant=tenant, actor=ACTOR, token=token, created_on=timezone.localdate())


def enter_credential(tenant: Tenant, kind: str, credential: str | None) -> SecondCredential:
    ends_on = timezone.localdate() + datetime.timedelta(days=700)
    return renewal.enter_credential(tenant=tenant, actor=ACTOR, kind=kind, credential=credential, ends_on=ends_on)


def passes(tenant: Tenant, half: str) -> bool:
    test = services.new_test(tenant=tenant, actor=ACTOR, half=half, second=True)
    services.run_test(test.pk)
    return SecondCredential.objects.get(tenant=tenant, half=half).passed


def switched(tenant: Tenant, half: str) -> SecondCredential:
    return renewal.switch(tenant=tenant, actor=ACTOR, half=half)


def stage(tenant: Tenant, half: str) -> Stage:
    return renewal.stage_of(tenant, half)


def hire(lab: Lab) -> None:
    lab.call("POST", "entra/hire", {"displayName": "Nora New", "groups": [lab.entra_group("AWS-Admins")["id"]]})


def test_a_token_is_replaced_step_by_step_without_a_gap(wired: Tenant, lab: Lab) -> None:
    assign(wired, lab.entra_group("AWS-Admins"))
    sync(wired)
    assert stage(wired, "aws") == Stage.ENTER
    enter_token(wired, lab.call("POST", "aws/token", {"action": "new"})["secret"])
    assert stage(wired, "aws") == Stage.TEST
    hire(lab)
    assert sync(wired).state != Run.State.FAILED
    assert passes(wired, "aws")
    assert stage(wired, "aws") == Stage.SWITCH
    former = switched(wired, "aws")
    assert stage(wired, "aws") == Stage.WAIT
    assert former.hint == lab.facts["scim_token"][-2:]
    hire(lab)
    sync(wired)
    assert stage(wired, "aws") == Stage.DELETE
    lab.call("POST", "aws/token", {"action": "delete former"})
    renewal.remove(tenant=wired, actor=ACTOR, half="aws")
    hire(lab)
    assert sync(wired).state != Run.State.FAILED
    assert not SecondCredential.objects.exists()


@pytest.mark.parametrize("kind", ["secret", "certificate", "federated"])
def test_every_kind_of_entra_replaces_a_secret(wired: Tenant, lab: Lab, settings: Any, kind: str) -> None:
    settings.FEDERATED_TOKEN_FILE = lab.facts["federated_token_file"]
    text: str | None = None
    if kind == "secret":
        text = lab.call("POST", "entra/secret", {"action": "second"})["secret"]
    if kind == "certificate":
        text = certificates.made(wired.name, timezone.now())
        lab.call("POST", "entra/certificates", {"pem": certificates.public_part(text).decode()})
    if kind == "federated":
        lab.call("POST", "entra/federated", lab.call("POST", "entra/federated-token", {}))
    enter_credential(wired, kind, text)
    assert passes(wired, "entra")
    switched(wired, "entra")
    assign(wired, lab.entra_group("AWS-Admins"))
    sync(wired)
    assert stage(wired, "entra") == Stage.DELETE
    renewal.remove(tenant=wired, actor=ACTOR, half="entra")
    entra = EntraConnection.objects.get(tenant=wired)
    assert entra.credential_kind == kind
    assert bool(entra.sealed_credential) == (kind != "federated")
    assert entra.passed


def test_one_that_does_not_work_never_takes_over(wired: Tenant) -> None:
    enter_token(wired, "n3" * 270)
    assert not passes(wired, "aws")
    with pytest.raises(ValidationError):
        switched(wired, "aws")
    assert stage(wired, "aws") == Stage.TEST


def test_a_test_of_the_second_says_nothing_of_the_one_in_use(wired: Tenant) -> None:
    before = wired.aws.tested_at
    enter_token(wired, "n3" * 270)
    passes(wired, "aws")
    wired.aws.refresh_from_db()
    assert wired.aws.tested_at == before


def test_the_way_back_is_open_until_the_former_one_is_removed(wired: Tenant, lab: Lab) -> None:
    token = clients.access_token(renewal.connection_of(wired, "aws"))  # type: ignore[arg-type]
    enter_token(wired, lab.call("POST", "aws/token", {"action": "new"})["secret"])
    passes(wired, "aws")
    switched(wired, "aws")
    switched(wired, "aws")
    assert clients.access_token(renewal.connection_of(wired, "aws")) == token  # type: ignore[arg-type]
    assert stage(wired, "aws") == Stage.SWITCH


def test_another_destination_forgets_the_second(wired: Tenant, lab: Lab) -> None:
    enter_token(wired, "n3" * 270)
    services.save_aws(
        tenant=wired,
        actor=ACTOR,
        endpoint="https://scim.eu-central-1.amazonaws.com/11111111111-2222-3333-4444-555555555555/scim/v2",
        token="x" * 500,
        token_created_on=TODAY,
    )
    assert not SecondCredential.objects.exists()


def test_a_third_is_refused_while_the_former_is_not_deleted(wired: Tenant, lab: Lab) -> None:
    enter_credential(wired, "secret", lab.call("POST", "entra/secret", {"action": "second"})["secret"])
    passes(wired, "entra")
    switched(wired, "entra")
    with pytest.raises(ValidationError) as refused:
        enter_credential(wired, "secret", "a third")
    assert refused.value.code == "former-open"


def test_there_is_nothing_to_replace_before_the_first(tenant: Tenant) -> None:
    with pytest.raises(ValidationError) as refused:
        enter_token(tenant, "t0" * 270)
    assert refused.value.code == "nothing-to-replace"


def test_each_step_leaves_an_audit_entry_without_the_secret(wired: Tenant, lab: Lab) -> None:
    secret = lab.call("POST", "entra/secret", {"action": "second"})["secret"]
    enter_credential(wired, "secret", secret)
    passes(wired, "entra")
    switched(wired, "entra")
    renewal.remove(tenant=wired, actor=ACTOR, half="entra")
    entries = AuditEntry.objects.filter(verb__startswith="credential.").order_by("pk")
    assert [entry.verb for entry in entries] == ["credential.enter", "credential.switch", "credential.remove"]
    assert secret not in str([entry.after for entry in entries])
