"""A tenant, and how a test has it connected, edited and carried out."""

from typing import Any

import pytest

from sync.configuration import assignments, mappings, versions
from sync.connection import services
from sync.directory import live
from sync.models import Run, Tenant
from sync.runs.requests import request_run
from sync.standings import queries
from sync.tenants.services import create_tenant
from sync.worker.execution import execute_run
from tests.world.lab import Lab

ACTOR = "jo@acme.example"


@pytest.fixture
def tenant(db: None) -> Tenant:
    return create_tenant(actor=ACTOR, name="Acme")


@pytest.fixture
def wired(tenant: Tenant, lab: Lab) -> Tenant:
    """Connected to the lab, with the recommended mappings."""
    connect(tenant, lab)
    mappings.apply_recommended(actor=ACTOR, tenant=tenant)
    return tenant


def connect(tenant: Tenant, lab: Lab) -> None:
    services.connect(tenant, lab.facts, actor=ACTOR)


def assign(tenant: Tenant, *objects: dict[str, Any]) -> None:
    """Groups or people as the lab's API shows them."""
    chosen = [
        live.Found("user" if "userPrincipalName" in found else "group", found["id"], found["displayName"], "", "")
        for found in objects
    ]
    assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=chosen)
    publish(tenant)


def publish(tenant: Tenant) -> None:
    """Without a preview: what a test edits counts in the next run."""
    draft = tenant.configurations.draft()
    if draft is not None and draft.based_on is not None:
        versions.make_version(draft, actor=ACTOR)


def attempt(tenant: Tenant, kind: str = Run.Kind.CHANGES, *, confirmed: bool = True) -> Run:
    """A run that may fail, as `sync --confirm` starts it."""
    tenant.refresh_from_db()
    run = request_run(tenant=tenant, kind=kind, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=confirmed)
    finished = execute_run(run.pk)
    assert finished is not None
    # Whatever a run stores, the standings follow from it.
    assert queries.differences(tenant) == [], "stored, and derived from the facts"
    return finished


def sync(tenant: Tenant, kind: str = Run.Kind.CHANGES, *, confirmed: bool = True) -> Run:
    """A run that does not fail. What was edited is published first."""
    tenant.refresh_from_db()
    publish(tenant)
    finished = attempt(tenant, kind, confirmed=confirmed)
    assert finished.state != Run.State.FAILED, (finished.problem, finished.problem_detail)
    return finished
