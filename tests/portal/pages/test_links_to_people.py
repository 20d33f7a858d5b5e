"""Wherever a page names somebody, the name leads to that person's page."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sync.configuration.assignments import unassign_objects
from sync.models import HeldChange, Operation, Run, Tenant
from sync.preview.services import request_preview
from sync.readiness import services as readiness
from sync.worker.execution import execute_run
from tests.world.company import change, group_of, hire, leave
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(6, groups=1, memberships=2)]


@pytest.fixture
def ada(wired: Tenant, lab: Lab) -> dict[str, Any]:
    """Not ready, in an assigned group and assigned herself."""
    found = hire(lab, "Ada Named")
    change(lab, found, surname=None)
    assign(wired, found, group_of(lab, "AWS-Named", [found]))
    sync(wired)
    now = timezone.now()
    Tenant.objects.filter(pk=wired.pk).update(enabled=True, enabled_changed_at=now)
    return found


def leads(jo: Client, address: str, person: dict[str, Any]) -> bool:
    return f'<a href="/t/acme/people/{person["id"]}/">' in jo.get(address).content.decode()


@pytest.mark.parametrize("page", ["", "people/", "runs/1/", "assignments/"])
def test_pages_that_name_whom_aws_would_refuse(jo: Client, ada: dict[str, Any], page: str) -> None:
    assert leads(jo, f"/t/acme/{page}", ada)


def test_the_group_and_the_readiness_page(wired: Tenant, jo: Client, ada: dict[str, Any]) -> None:
    group = Operation.objects.filter(object_type="group").latest("pk").object_id
    assert leads(jo, f"/t/acme/groups/{group}/", ada)
    readiness.check_now(wired, actor=ACTOR)
    assert leads(jo, "/t/acme/readiness/", ada)


def test_one_entry_of_the_log(jo: Client, ada: dict[str, Any]) -> None:
    entry = Operation.objects.filter(object_id=ada["id"]).latest("pk")
    assert leads(jo, f"/t/acme/logs/{entry.pk}/", ada)


def test_held_changes(wired: Tenant, lab: Lab, jo: Client) -> None:
    Tenant.objects.filter(pk=wired.pk).update(limits={"people_at_least": 0, "people_at_most": 0})
    bo = hire(lab, "Bo Held")
    assign(wired, bo)
    sync(wired)
    leave(lab, bo)
    sync(wired)
    assert leads(jo, f"/t/acme/approvals/{HeldChange.objects.get(object_id=bo['id']).hold_id}/", bo)


def test_the_preview_of_a_draft_and_who_would_leave(wired: Tenant, lab: Lab, jo: Client) -> None:
    cy = hire(lab, "Cy Leaving")
    assign(wired, cy)
    sync(wired)
    assert leads(jo, f"/t/acme/assignments/user/{cy['id']}/unassign/", cy)
    unassign_objects(actor=ACTOR, tenant=wired, keys=[("user", cy["id"])])
    run = request_preview(tenant=wired, actor=ACTOR, enqueue=False)
    execute_run(run.pk)
    assert Run.objects.get(pk=run.pk).state == Run.State.COMPLETED
    assert leads(jo, f"/t/acme/draft/impact/{run.number}/?show=lose", cy)
