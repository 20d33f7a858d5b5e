"""Saving the two halves, and what a saved change does to a passed test."""

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.core.exceptions import ValidationError
from django.utils import timezone

from sync.connection import checks, clients, services
from sync.connection.sealed import credential_context
from sync.connection.sealing import CannotOpen, unseal
from sync.connection.services import HalfState
from sync.models import AuditEntry, AwsConnection, ConnectionTest, EntraConnection, Tenant
from tests.world.runs import new_run

JO = "jo@acme.example"
ENDPOINT = "https://scim.eu-central-1.amazonaws.com/11111111111-2222-3333-4444-555555555555/scim/v2"
TOKEN = "t0" * 270


def save_entra(tenant: Tenant, **changes: Any) -> EntraConnection:
    facts = {
        "cloud": "global",
        "directory_id": "4F1C09D2-7A3E-4B8A-9C55-12E0D7F6A3B1",
        "client_id": "0a1b2c3d-0000-4000-8000-000000000001",
        "credential_kind": "secret",
        "credential": "the-secret-value~7Q",
        "ends_on": datetime.date(2028, 3, 3),
    }
    return services.save_entra(tenant=tenant, actor=JO, **(facts | changes))


def save_aws(tenant: Tenant, **changes: Any) -> AwsConnection:
    facts = {"endpoint": ENDPOINT, "token": TOKEN, "token_created_on": timezone.localdate()}
    return services.save_aws(tenant=tenant, actor=JO, **(facts | changes))


def passed(connection: EntraConnection | AwsConnection) -> None:
    connection.tested_at, connection.test_passed = timezone.now(), True
    connection.save()


def self_signed(key: rsa.RSAPrivateKey, ends: datetime.datetime) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lockstep")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(ends - datetime.timedelta(days=700)).not_valid_after(ends)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def private_pem(key: rsa.RSAPrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@pytest.fixture(scope="module")
def keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    return rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)


def test_the_facts_that_a_lab_prints_complete_both_halves(tenant: Tenant) -> None:
    facts = {
        "directory_id": "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1",
        "client_id": "0a1b2c3d-0000-4000-8000-000000000001",
        "client_secret": "the-secret-value~7Q",
        "scim_endpoint": ENDPOINT,
        "scim_token": TOKEN,
    }
    services.connect(tenant, facts, actor=JO)
    entra, aws = EntraConnection.objects.get(tenant=tenant), AwsConnection.objects.get(tenant=tenant)
    assert (entra.cloud, entra.complete, aws.complete) == ("lab", True, True)
    assert unseal(entra.sealed_credential, credential_context(entra)) == "the-secret-value~7Q"
    assert clients.access_token(aws) == TOKEN


def test_ids_are_stored_in_lower_case_and_the_secret_is_sealed(tenant: Tenant) -> None:
    entra = save_entra(tenant)
    assert entra.directory_id == "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1"
    assert "the-secret-value" not in entra.sealed_credential
    assert unseal(entra.sealed_credential, credential_context(entra)) == "the-secret-value~7Q"
    assert entra.credential_hint == "7Q"
    assert entra.changed_by == JO


def test_the_audit_log_says_that_a_secret_changed_but_never_which(tenant: Tenant) -> None:
    save_entra(tenant)
    save_aws(tenant)
    entries = {entry.verb: entry for entry in AuditEntry.objects.filter(verb__startswith="connection.")}
    assert entries["connection.entra.save"].after["credential"] == "changed"
    assert entries["connection.aws.save"].after["token"] == "changed"
    everything = str([(entry.before, entry.after) for entry in entries.values()])
    assert "the-secret-value" not in everything
    assert TOKEN not in everything


def test_no_secret_keeps_the_stored_one(tenant: Tenant) -> None:
    before = save_aws(tenant).sealed_token
    after = save_aws(tenant, token=None, token_created_on=datetime.date(2026, 1, 1))
    assert after.sealed_token == before
    assert after.token_created_on == datetime.date(2026, 1, 1)


ELSEWHERE = [
    {"cloud": "china"},
    {"directory_id": "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b2"},
    {"client_id": "0a1b2c3d-0000-4000-8000-000000000002"},
]


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_a_stored_secret_does_not_follow_to_another_directory_cloud_or_app(
    tenant: Tenant, elsewhere: dict[str, str]
) -> None:
    before = save_entra(tenant)
    with pytest.raises(ValidationError) as refused:
        save_entra(tenant, credential=None, **elsewhere)
    assert refused.value.code == "destination-changed"
    after = EntraConnection.objects.get(tenant=tenant)
    assert {name: getattr(after, name) for name in elsewhere} == {name: getattr(before, name) for name in elsewhere}


def test_a_stored_token_does_not_follow_to_another_endpoint(tenant: Tenant) -> None:
    save_aws(tenant)
    with pytest.raises(ValidationError) as refused:
        save_aws(tenant, token=None, endpoint=ENDPOINT.replace("eu-central-1", "us-east-1"))
    assert refused.value.code == "destination-changed"
    assert AwsConnection.objects.get(tenant=tenant).endpoint == ENDPOINT


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_a_secret_does_not_open_beside_a_destination_that_was_changed_in_the_database(
    tenant: Tenant, elsewhere: dict[str, str]
) -> None:
    entra = save_entra(tenant)
    EntraConnection.objects.filter(pk=entra.pk).update(**elsewhere)
    with pytest.raises(CannotOpen):
        clients.authenticator(EntraConnection.objects.select_related("tenant").get(pk=entra.pk))


def test_a_token_does_not_open_beside_an_endpoint_that_was_changed_in_the_database(tenant: Tenant) -> None:
    aws = save_aws(tenant)
    AwsConnection.objects.filter(pk=aws.pk).update(endpoint=ENDPOINT.replace("eu-central-1", "us-east-1"))
    with pytest.raises(CannotOpen):
        clients.access_token(AwsConnection.objects.select_related("tenant").get(pk=aws.pk))


def test_saving_what_is_equal_leaves_a_passed_test_valid(tenant: Tenant) -> None:
    passed(save_entra(tenant))
    passed(save_aws(tenant))
    entries = AuditEntry.objects.count()
    assert save_entra(tenant).passed
    assert save_aws(tenant, endpoint=ENDPOINT + "/Users").passed
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize("change", [{"credential": "another"}, {"client_id": "0a1b2c3d-0000-4000-8000-000000000002"}])
def test_any_change_of_entra_asks_for_a_new_test(tenant: Tenant, change: dict[str, str]) -> None:
    passed(save_entra(tenant))
    assert not save_entra(tenant, **change).passed


def test_another_token_asks_for_a_new_test(tenant: Tenant) -> None:
    passed(save_aws(tenant))
    aws = save_aws(tenant, token="n3" * 270)
    assert not aws.passed
    assert services.half_state(aws) == HalfState.NOT_TESTED


@pytest.mark.parametrize("pasted", [f"{TOKEN}\n", f" Bearer {TOKEN}", f"{TOKEN[:64]}\r\n{TOKEN[64:]}"])
def test_a_token_from_the_clipboard_is_cleaned(tenant: Tenant, pasted: str) -> None:
    aws = save_aws(tenant, token=pasted)
    assert clients.access_token(aws) == TOKEN


def test_an_address_that_is_no_endpoint_is_refused_with_a_sentence(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="SCIM endpoint"):
        save_aws(tenant, endpoint="https://d-1234567890.awsapps.com/start")


def test_a_certificate_brings_its_end_date_and_its_thumbprint(tenant: Tenant, keys: Any) -> None:
    ends = datetime.datetime(2028, 3, 3, tzinfo=datetime.UTC)
    pem = self_signed(keys[0], ends)
    entra = save_entra(
        tenant, credential_kind="certificate", credential=(private_pem(keys[0]) + pem).decode(), ends_on=None
    )
    assert entra.credential_ends_on == datetime.date(2028, 3, 3)
    certificate = x509.load_pem_x509_certificate(pem)
    assert entra.credential_hint == certificate.fingerprint(hashes.SHA1()).hex().upper()


def test_a_certificate_without_its_own_key_is_refused(tenant: Tenant, keys: Any) -> None:
    pem = self_signed(keys[0], datetime.datetime(2028, 3, 3, tzinfo=datetime.UTC))
    for text, code in [
        (pem, "no-private-key"),
        (private_pem(keys[0]), "no-certificate"),
        (private_pem(keys[1]) + pem, "other-key"),
    ]:
        with pytest.raises(ValidationError) as caught:
            save_entra(tenant, credential_kind="certificate", credential=text.decode(), ends_on=None)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("days_ago", "state"),
    [(0, HalfState.WORKING), (274, HalfState.WORKING), (275, HalfState.ENDS_SOON), (366, HalfState.ENDED)],
)
def test_the_state_warns_from_90_days_before_the_token_ends(tenant: Tenant, days_ago: int, state: HalfState) -> None:
    created = timezone.now().date() - datetime.timedelta(days=days_ago)
    aws = save_aws(tenant, token_created_on=created)
    passed(aws)
    assert services.half_state(aws) == state


def test_a_second_press_gives_the_test_that_is_under_way(tenant: Tenant) -> None:
    save_aws(tenant)
    first = services.start_test(tenant=tenant, actor=JO, half="aws")
    assert services.start_test(tenant=tenant, actor=JO, half="aws") == first
    assert services.start_test(tenant=tenant, actor=JO, half="entra") != first
    assert {row["state"] for row in first.checks} == {"waiting"}


def rows(state: str) -> list[dict[str, Any]]:
    return [{"id": check.id, "state": state} for check in checks.CHECKS if check.half == "aws"]


def test_a_change_during_the_test_makes_it_a_test_of_old_values(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_aws(tenant)

    def change_meanwhile(*_: Any, **__: Any) -> Any:
        yield rows("checking")
        save_aws(tenant, token="n3" * 270)
        yield rows("passed")

    monkeypatch.setattr(checks, "run", change_meanwhile)
    test = services.new_test(tenant=tenant, actor=JO, half="aws")
    services.run_test(test.pk)
    test.refresh_from_db()
    aws = AwsConnection.objects.get(tenant=tenant)
    assert test.passed
    assert aws.test_passed
    assert not aws.passed


def test_a_finished_test_is_not_run_again(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    save_aws(tenant)
    monkeypatch.setattr(checks, "run", lambda *_, **__: iter([rows("passed")]))
    test = services.new_test(tenant=tenant, actor=JO, half="aws")
    services.run_test(test.pk)
    monkeypatch.setattr(checks, "run", lambda *_, **__: iter([rows("failed")]))
    services.run_test(test.pk)
    test.refresh_from_db()
    assert test.passed


def test_a_check_that_breaks_ends_the_test_and_is_told(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    save_aws(tenant)

    def broken(*_: Any, **__: Any) -> Any:
        yield [{"id": "A1", "state": "checking"}, {"id": "A2", "state": "waiting"}]
        raise RuntimeError("our fault")

    monkeypatch.setattr(checks, "run", broken)
    test = services.new_test(tenant=tenant, actor=JO, half="aws")
    with pytest.raises(RuntimeError, match="our fault"):
        services.run_test(test.pk)
    test.refresh_from_db()
    assert test.state == ConnectionTest.State.DONE
    assert [row["state"] for row in test.checks] == ["failed", "skipped"]
    assert not AwsConnection.objects.get(tenant=tenant).passed


def test_a_token_that_ends_soon_by_its_typed_date_does_not_make_the_half_fail(tenant: Tenant) -> None:
    checked = [row | {"state": "failed"} if row["id"] == "A9" else row for row in rows("passed")]
    assert checks.half_works(checked)
    assert not checks.all_passed(checked)


@pytest.mark.parametrize(
    ("code", "waits"), [("token-refused", False), ("secret-ended", True), ("too-many-failures", True)]
)
def test_a_passed_test_brings_the_next_try_of_a_quarantined_tenant_forward(
    tenant: Tenant, code: str, waits: bool
) -> None:
    now = timezone.now()
    Tenant.objects.filter(pk=tenant.pk).update(
        enabled=True, quarantined_at=now, quarantine_code=code, next_run_at=now + datetime.timedelta(hours=4)
    )
    test = services.new_test(tenant=tenant, actor="jo@acme.example", half="aws")
    test.checks = [{**row, "state": "passed"} for row in test.checks]
    services.remember(test, now)
    tenant.refresh_from_db()
    assert tenant.next_run_at is not None
    assert (tenant.next_run_at > timezone.now()) == waits


def test_a_half_fails_from_the_run_that_was_refused_until_its_test_passes(tenant: Tenant) -> None:
    passed(save_entra(tenant))
    passed(save_aws(tenant))
    run = new_run(tenant, 1, state="failed", problem="token-refused", finished_at=timezone.now())
    Tenant.objects.update(enabled=True, quarantined_at=run.finished_at, quarantine_code="token-refused")
    tenant.refresh_from_db()
    assert [services.half_state(half) for half in (tenant.aws, tenant.entra)] == ["failing", "working"]
    assert not services.works_again(tenant)
    passed(tenant.aws)
    tenant.refresh_from_db()
    assert services.half_state(tenant.aws) == HalfState.WORKING
    assert services.works_again(tenant)
    # The try was refused again.
    new_run(tenant, 2, state="failed", problem="token-refused", finished_at=timezone.now())
    tenant.refresh_from_db()
    assert services.half_state(tenant.aws) == HalfState.FAILING
