"""A tenant with two versions, a draft with a change of every kind, and a finished preview of it: rows, no lab."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sync.configuration import assignments, drafts, mappings, versions
from sync.configuration.filters import save_filter
from sync.configuration.items import digest
from sync.configuration.settings import set_settings
from sync.directory.live import Found
from sync.engine.guard.guard import Guard
from sync.engine.rehearsal import impact
from sync.models import Configuration, DirectoryUser, Link, Operation, Run, Tenant

JO, RAVI = "jo@acme.example", "ravi@acme.example"
GROUP = "9" * 8 + "-0000-4000-8000-" + "9" * 12
PREVIEW = 90


def edit_title(tenant: Tenant, source: str, actor: str = RAVI) -> None:
    row = drafts.draft_or_current(tenant).mappings.get(object_type="user", target="title")
    rule = replace(row.rule(), source=source)
    mappings.save_mapping(actor=actor, tenant=tenant, object_type="user", rule=rule, row=row)


def publish_unseen(tenant: Tenant, comment: str = "") -> Configuration:
    draft = tenant.configurations.draft()
    assert draft is not None
    return versions.make_version(draft, actor=RAVI, comment=comment)


def with_versions(tenant: Tenant) -> None:
    publish_unseen(tenant)
    edit_title(tenant, "department")
    publish_unseen(tenant, "Titles by department, as everybody had asked for in the long run")


def with_draft(tenant: Tenant) -> str:
    """The key of the filter."""
    edit_title(tenant, "companyName")
    found = [Found("group", GROUP, "AWS-Research with a rather long name", "", "security")]
    assignments.assign_objects(actor=JO, tenant=tenant, chosen=found)
    clause = {"attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": False}
    row = save_filter(actor=JO, tenant=tenant, object_type="user", title="Engineers", clauses=[clause])
    set_settings(actor=JO, tenant=tenant, leave_out_guests=True)
    return f"filter:{row.uid}"


def person(tenant: Tenant, n: int) -> DirectoryUser:
    object_id, name = f"{n:08}-0000-4000-8000-{n:012}", f"person{n}@a-rather-long-domain-name.acme.example"
    Link.objects.create(tenant=tenant, object_type="user", object_id=object_id, scim_id=f"aws-{n}")
    return DirectoryUser.objects.create(
        tenant=tenant, object_id=object_id, display_name=f"Person {n} With A Rather Long Name", user_principal_name=name,
        properties={"userPrincipalName": name},
    )  # fmt: skip


def planned(run: Run, user: DirectoryUser, action: str, causes: list[str], **facts: Any) -> Operation:
    return Operation.objects.create(
        run=run, tenant=run.tenant, object_type="user", object_id=user.object_id, display_name=str(user),
        detail_name=user.user_principal_name, action=action, causes=causes, **facts,
    )  # fmt: skip


def preview_of(tenant: Tenant, filter_key: str, *, broken: bool = False) -> Run:
    """Somebody in every tab; `broken`: with somebody whom the draft would make AWS refuse."""
    draft = tenant.configurations.draft()
    assert draft is not None
    now = timezone.now()
    run = Run.objects.create(
        tenant=tenant, number=PREVIEW, kind="preview", trigger="person", state="completed", configuration=draft,
        configuration_digest=digest(draft), started_at=now, finished_at=now,
        phases={"read": {"state": "done", "seconds": 1.5, "facts": {"people": 500}}},
    )  # fmt: skip
    title = "mapping:user:title"
    change = {"before": "Clerk ", "after": "Clerk", "mapping": "companyName"}
    other = {"before": None, "after": "urn", "mapping": "mail"}
    values = {unit: impact.explained(value) for unit, value in {"title": change, "nickName": other}.items()}
    planned(run, person(tenant, 1), "disable", [filter_key, "scope:outside-filter"], stage=5)
    planned(run, person(tenant, 2), "disable", ["setting:leave_out_guests", "scope:guest-left-out"], stage=5)
    planned(run, person(tenant, 3), "delete", ["scope:deleted"], stage=5)
    planned(run, person(tenant, 4), "update", [title], changes=values)
    planned(run, person(tenant, 5), "create", [f"assignment:group:{GROUP}"], changes={"title": change})
    if broken:
        planned(run, person(tenant, 6), "update", [title], result="skipped", problem="missing-family-name", error="no")
    Operation.objects.create(
        run=run, tenant=tenant, object_type="membership", object_id=GROUP, display_name="AWS-Research", action="add_member",
        stage=4, people=2, changes={"members": ["a", "b"]}, causes=[f"assignment:group:{GROUP}"],
    )  # fmt: skip
    guard = Guard(run, None)
    guard.foresee()
    run.impact = impact.weigh(run, guard, stay=1163, suspect="")
    run.save()
    return run


@pytest.fixture
def drafted(tenant: Tenant) -> Run:
    with_versions(tenant)
    return preview_of(tenant, with_draft(tenant))


def body(client: Client, path: str, **facts: str) -> str:
    return client.get(path, facts).content.decode()
