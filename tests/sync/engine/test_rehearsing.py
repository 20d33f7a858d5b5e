"""The preview of a draft: it plans what the next run would do, says why, and leaves no trace."""

from typing import Any

import pytest

from sync.models import DirectoryUser, Inclusion, Link, Operation, Rehearsed, Run, Tenant
from sync.services import configurations, drafts, previews, runs
from tests.lab_process import Lab
from tests.sync.engine.conftest import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def preview(tenant: Tenant) -> Run:
    tenant.refresh_from_db()
    run = previews.request(tenant=tenant, actor=ACTOR, enqueue=False)
    finished = runs.execute(run.pk)
    assert finished is not None
    assert finished.state in drafts.PREVIEWED, (finished.problem, finished.problem_detail)
    return finished


def traces() -> list[Any]:
    """Everything that a run notes apart from its plan."""
    return [
        list(
            DirectoryUser.objects.order_by("pk").values(
                "object_id", "in_scope", "scope_reason", "scope_through", "scope_at"
            )
        ),
        list(Link.objects.order_by("pk").values()),
        list(Inclusion.objects.order_by("pk").values()),
    ]


def deeds(run: Run) -> set[tuple[str, str, str]]:
    rows = Operation.objects.filter(run=run)
    return {
        (row.object_id, row.action, str(sorted(row.desired.items()) or sorted(row.changes.get("members", []))))
        for row in rows
    }


@pytest.fixture
def in_sync(wired: Tenant, lab: Lab) -> Tenant:
    """AWS holds everybody of two groups."""
    assign(wired, lab.entra_group("AWS-Admins"), lab.entra_group("AWS-Developers"))
    sync(wired)
    return wired


def edit_mapping(tenant: Tenant, target: str, **facts: Any) -> None:
    row = drafts.shown(tenant).mappings.get(object_type="user", target=target)
    from dataclasses import replace

    configurations.save_mapping(
        actor=ACTOR, tenant=tenant, object_type="user", rule=replace(row.rule(), **facts), row=row
    )


def test_a_draft_like_the_published_rules_plans_nothing(in_sync: Tenant) -> None:
    edit_mapping(in_sync, "title", source="department")
    edit_mapping(in_sync, "title", source="jobTitle")
    run = preview(in_sync)
    assert run.operations.count() == 0
    assert run.impact["people"]["updated"] == 0
    assert run.impact["people"]["stay"] == Link.objects.filter(object_type="user").exclude(scim_id="").count()


def test_a_preview_leaves_links_and_scope_as_they_are(in_sync: Tenant, lab: Lab) -> None:
    developers = drafts.shown(in_sync).assignments.get(display_name="AWS-Developers")
    configurations.unassign(actor=ACTOR, tenant=in_sync, assignment=developers)
    edit_mapping(in_sync, "title", source="department")
    before = traces()
    run = preview(in_sync)
    assert run.operations.exists()
    assert traces() == before
    assert not Rehearsed.objects.exists()


def test_the_run_after_the_publish_does_what_the_preview_said(in_sync: Tenant, lab: Lab) -> None:
    configurations.unassign(
        actor=ACTOR, tenant=in_sync, assignment=drafts.shown(in_sync).assignments.get(display_name="AWS-Developers")
    )
    edit_mapping(in_sync, "title", source="department")
    said = preview(in_sync)
    drafts.publish(tenant=in_sync, actor=ACTOR, preview=said, seen=["removals", "over-members"])
    did = sync(in_sync, confirmed=False)
    assert deeds(did) == deeds(said)
    assert deeds(said)
