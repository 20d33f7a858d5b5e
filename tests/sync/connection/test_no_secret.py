"""Signing in to Entra without a stored secret: by the token of another issuer; and by a certificate that was made here."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from sync.connection import certificates, checks, clients, services
from sync.connection.checks.wording import Described, describe
from sync.connection.sealed import credential_context
from sync.connection.sealing import unseal
from sync.models import EntraConnection, Run, Tenant
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, connect, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]


@pytest.fixture
def federated(tenant: Tenant, lab: Lab, settings: Any) -> Tenant:
    """The app trusts the cluster's tokens, and the deployment names their file; Entra's secret is stored nowhere."""
    settings.FEDERATED_TOKEN_FILE = lab.facts["federated_token_file"]
    lab.call("POST", "entra/federated", lab.call("POST", "entra/federated-token", {}))
    connect(tenant, lab)
    save(tenant, kind="federated", credential=None)
    return tenant


def save(tenant: Tenant, *, kind: str, credential: str | None) -> EntraConnection:
    entra = EntraConnection.objects.get(tenant=tenant)
    return services.save_entra(
        tenant=tenant,
        actor=ACTOR,
        cloud=entra.cloud,
        directory_id=entra.directory_id,
        client_id=entra.client_id,
        credential_kind=kind,
        credential=credential,
        ends_on=None,
    )


def check(tenant: Tenant, check_id: str) -> Described:
    *_, rows = checks.run(tenant, "entra")
    return next(describe(row) for row in rows if row["id"] == check_id)


def test_a_tenant_syncs_with_a_federated_credential_and_no_stored_secret_of_entra(federated: Tenant, lab: Lab) -> None:
    assign(federated, lab.entra_group("AWS-Admins"))
    run = sync(federated)
    assert run.state in (Run.State.COMPLETED, Run.State.COMPLETED_WITH_ERRORS)
    assert lab.aws()["users"]
    entra = EntraConnection.objects.get(tenant=federated)
    assert (entra.sealed_credential, entra.credential_hint, entra.complete) == ("", "", True)


def test_the_connection_test_passes_with_a_federated_credential(federated: Tenant) -> None:
    test = services.new_test(tenant=federated, actor=ACTOR, half="entra")
    services.run_test(test.pk)
    test.refresh_from_db()
    assert {row["id"]: row["state"] for row in test.checks if row["id"] in ("E4", "E6", "E10")} == {
        "E4": "passed",
        "E6": "passed",
        "E10": "passed",
    }
    stored = next(row for row in test.checks if row["id"] == "E4")
    assert stored["facts"] == {"kind": "federated"}, "a word of no language"
    with translation.override("de"):
        assert describe(stored).note == "Verbundanmeldeinformationen (kein Geheimnis)"


def test_the_file_is_read_anew_at_each_sign_in(federated: Tenant, lab: Lab) -> None:
    authenticator = clients.authenticator(EntraConnection.objects.get(tenant=federated))
    authenticator.token()
    lab.call("POST", "entra/federated-token", {"lifetime": -10})
    authenticator.forget()
    with pytest.raises(Exception, match="has ended"):
        authenticator.token()
    lab.call("POST", "entra/federated-token", {})
    assert authenticator.token()


@pytest.mark.parametrize(("claim", "code"), [("issuer", "AADSTS700211"), ("subject", "AADSTS700213")])
def test_a_token_that_entra_does_not_know_is_answered_with_what_to_enter_there(
    federated: Tenant, lab: Lab, claim: str, code: str
) -> None:
    lab.call("POST", "entra/federated-token", {claim: "https://other.example"})
    found = check(federated, "E4")
    assert found.code == "federation-unknown"
    assert code in found.meaning
    assert any("https://other.example" in step for step in found.steps)


def test_a_token_for_somebody_else_is_not_sent(federated: Tenant, lab: Lab) -> None:
    lab.call("DELETE", "graph/ledger")
    lab.call("POST", "entra/federated-token", {"audience": "sts.amazonaws.com"})
    found = check(federated, "E4")
    assert (found.code, found.state) == ("token-audience", "failed")
    assert "sts.amazonaws.com" in found.meaning
    assert not [asked for asked in lab.call("GET", "graph/ledger") if asked["path"].endswith("/token")]


@pytest.mark.parametrize(
    ("written", "code"), [(None, "token-file-unreadable"), ("no token", "token-form"), ("a.b.c", "token-form")]
)
def test_a_file_without_a_token_is_named(
    federated: Tenant, settings: Any, tmp_path: Path, written: str | None, code: str
) -> None:
    settings.FEDERATED_TOKEN_FILE = str(tmp_path / "token")
    if written is not None:
        (tmp_path / "token").write_text(written)
    assert check(federated, "E4").code == code


def test_a_deployment_that_names_no_token_says_so(federated: Tenant, settings: Any) -> None:
    settings.FEDERATED_TOKEN_FILE = ""
    assert check(federated, "E4").code == "federation-not-offered"


def test_the_token_is_in_no_row_of_the_test(federated: Tenant, lab: Lab) -> None:
    token = Path(lab.facts["federated_token_file"]).read_text()
    lab.call("POST", "entra/federated-token", {"subject": "another"})
    *_, rows = checks.run(federated, "entra")
    assert token.split(".")[2][:20] not in str(rows)
    assert Path(lab.facts["federated_token_file"]).read_text().split(".")[2][:20] not in str(rows)


def test_choosing_a_federated_credential_forgets_the_stored_secret(tenant: Tenant, lab: Lab) -> None:
    connect(tenant, lab)
    assert save(tenant, kind="federated", credential=None).sealed_credential == ""


def test_a_certificate_made_here_signs_in_once_its_public_part_is_uploaded(tenant: Tenant, lab: Lab) -> None:
    connect(tenant, lab)
    pem = certificates.made(tenant.name, services.timezone.now())
    entra = save(tenant, kind="certificate", credential=pem)
    assert check(tenant, "E4").code == "certificate-unknown"
    public = certificates.public_part(unseal(entra.sealed_credential, credential_context(entra))).decode()
    assert "PRIVATE" not in public
    lab.call("POST", "entra/certificates", {"pem": public})
    assert check(tenant, "E4").state == "passed"


def test_the_remedy_names_the_policies_that_forbid_secrets_or_certificates_made_here(tenant: Tenant, lab: Lab) -> None:
    connect(tenant, lab)
    lab.call("POST", "entra/secret", {"action": "expire"})
    found = check(tenant, "E4")
    lab.call("POST", "entra/secret", {})
    assert found.code == "secret-ended"
    assert any("Block password addition" in step for step in found.steps)
