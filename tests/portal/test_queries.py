"""How many questions a page asks of the database: few, and no more of many rows than of few."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from sync.models import Hold, Operation, Standing, Tenant
from sync.readiness.services import check_now
from sync.standings import queries as standings
from sync.standings.services import refresh_all
from sync.tenants.services import create_tenant
from tests.world.every_standing import GROUPS, PEOPLE, some_group, somebody, stand
from tests.world.mirrored import new_comparison
from tests.world.runs import new_run, operation

pytestmark = pytest.mark.django_db
# Seven of them come before what a page is about: session, person with roles and second factor, tenant; draft, other tenants
# with what rings, newest runs and what waits for a decision, for the frame.
BUDGET = 15
# What puts more side by side: its own budget.
ABOVE = {
    # With the entry of the audit log that it writes.
    "person": 16,
    "readiness": 19,
}
PLAIN = (
    *("overview", "people", "readiness", "approvals", "drift", "runs", "logs", "provisioning", "turn_on"),
    *("assignments", "scope", "setup", "connection", "draft", "versions", "audit", "on_demand", "tenant_settings"),
)
ARGUMENTS: dict[str, Callable[[], list[Any]]] = {
    "mappings": lambda: ["user"],
    "person": lambda: [Standing.objects.filter(kind="user", word="in_aws").earliest("pk").object_id],
    "group": lambda: [Standing.objects.filter(kind="group", word="in_aws").earliest("pk").object_id],
    "run": lambda: [2],
    "approval": lambda: [Hold.objects.get().pk],
    "log": lambda: [Operation.objects.earliest("pk").pk],
}


def asked(jo: Client, page: str) -> int:
    address = reverse(page, args=["acme", *ARGUMENTS.get(page, list)()])
    assert jo.get(address).status_code == 200, "and the look-ups that a process keeps are made"
    with CaptureQueriesContext(connection) as captured:
        jo.get(address)
    return len(captured)


def log_entries(tenant: Tenant) -> None:
    """More than a page of the log, with problems of several kinds."""
    run = tenant.runs.get(number=2)
    for row in [*Standing.objects.filter(tenant=tenant).exclude(object_id="").order_by("pk")] * 2:
        kind = {"object_type": row.kind, "object_id": row.object_id, "display_name": row.name}
        operation(tenant, run, **kind, result="failed", problem=row.code if row.word == "failed" else "")


def many(tenant: Tenant) -> None:
    """Several times as much of everything."""
    comparison = new_comparison(tenant)
    for make, counts in ((somebody, PEOPLE), (some_group, GROUPS)):
        for word in [word for word in counts if word not in ("only_in_aws", "held")] * 4:
            stand(tenant, make, word, comparison)
    now = timezone.now()
    for number in range(10, 40):
        times = {"created_at": now - datetime.timedelta(hours=number), "started_at": now, "finished_at": now}
        new_run(tenant, number - 5, kind="changes", **times)
    refresh_all(tenant)
    check_now(tenant)
    log_entries(tenant)


def test_pages_ask_few_questions_and_no_more_of_many_rows(every_standing: Tenant, jo: Client) -> None:
    log_entries(every_standing)
    few = {name: asked(jo, name) for name in (*PLAIN, *ARGUMENTS)}
    assert {name: n for name, n in few.items() if n > ABOVE.get(name, BUDGET)} == {}
    assert {name: few[name] for name in ABOVE if few[name] <= BUDGET} == {}, "a budget of its own that is not needed"
    many(every_standing)
    assert {name: (n, now) for name, n in few.items() if (now := asked(jo, name)) > n} == {}


def test_the_list_of_tenants_asks_no_more_of_many(every_standing: Tenant, jo: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert jo.get("/t/?stay=1").status_code == 200
        return len(captured)

    asked()
    few = asked()
    for number in range(5):
        another = create_tenant(actor="jo@acme.example", name=f"Another {number}")
        new_run(another, 1, kind="changes", started_at=timezone.now())
        stand(another, somebody, "in_aws", new_comparison(another))
        refresh_all(another)
    assert asked() <= few <= BUDGET
    rows = {row.tenant.name: row for row in jo.get("/t/?stay=1").context["rows"]}
    assert rows["Another 3"].summary.reaching == (1, 1)
    assert rows["Acme"].summary.reaching == standings.reaching_aws(every_standing)
    assert (rows["Another 3"].summary.worst, rows["Acme"].summary.worst) == (None, standings.worst(every_standing))
    assert rows["Another 3"].last_run.number == 1
