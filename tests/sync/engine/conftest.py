"""A tenant that is wired to the lab, and how a test looks at both ends of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from sync.configuration import assignments, mappings, versions
from sync.connection import services
from sync.directory import live
from sync.models import Run, Tenant
from sync.runs.requests import request_run
from sync.worker import execution
from tests.lab_process import Lab

ACTOR = "jo@acme.example"


@pytest.fixture(scope="module")
def lab_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab per module, without AWS's quota: pacing has tests of its own."""
    with Lab(tmp_path_factory.mktemp("lab"), "--aws-tps", "0") as lab:
        yield lab


@pytest.fixture
def lab(lab_process: Lab) -> Iterator[Lab]:
    """AWS is empty at the start of every test."""
    lab_process.call("DELETE", "aws/users")
    lab_process.call("DELETE", "faults")
    lab_process.forget_requests()
    yield lab_process
    lab_process.call("DELETE", "faults")


@pytest.fixture
def wired(tenant: Tenant, lab: Lab, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    settings.EXTRA_CLOUDS = lab.clouds
    settings.EXTRA_SCIM_HOSTS = lab.scim_hosts
    settings.SCIM_RATE = 1000
    wire(tenant, lab)
    mappings.apply_recommended(actor=ACTOR, tenant=tenant)
    return tenant


def wire(tenant: Tenant, lab: Lab) -> None:
    facts = lab.facts
    services.save_entra(
        tenant=tenant,
        actor=ACTOR,
        cloud="lab",
        directory_id=facts["directory_id"],
        client_id=facts["client_id"],
        credential_kind="secret",
        credential=facts["client_secret"],
        ends_on=None,
    )
    services.save_aws(
        tenant=tenant,
        actor=ACTOR,
        endpoint=facts["scim_endpoint"],
        token=facts["scim_token"],
        token_created_on=timezone.localdate(),
    )


def assign(tenant: Tenant, *objects: dict[str, Any]) -> None:
    """Groups or people as the lab's API shows them."""
    chosen = [
        live.Found("user" if "userPrincipalName" in found else "group", found["id"], found["displayName"], "", "")
        for found in objects
    ]
    assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=chosen)
    publish(tenant)


def sync(tenant: Tenant, kind: str = Run.Kind.CHANGES, *, confirmed: bool = True) -> Run:
    """As `sync --confirm` does, unless a test is about the yes itself. What was edited is published first."""
    tenant.refresh_from_db()
    publish(tenant)
    run = request_run(tenant=tenant, kind=kind, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=confirmed)
    finished = execution.execute_run(run.pk)
    assert finished is not None
    assert finished.state != Run.State.FAILED, (finished.problem, finished.problem_detail)
    return finished


def publish(tenant: Tenant) -> None:
    """Without a preview: what a test edits counts in the next run."""
    draft = tenant.configurations.draft()
    if draft is not None and draft.based_on is not None:
        versions.make_version(draft, actor=ACTOR)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path


def names(lab: Lab) -> set[str]:
    return {user["userName"] for user in lab.aws()["users"]}


def aws_group(lab: Lab, name: str) -> dict[str, Any]:
    return next(group for group in lab.aws()["groups"] if group["displayName"] == name)


def aws_user(lab: Lab, external_id: str) -> dict[str, Any]:
    return next(user for user in lab.aws()["users"] if user.get("externalId") == external_id)
