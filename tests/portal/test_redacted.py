"""What an expression redacts is in AWS and nowhere else: no page, no log, no export, no words of a problem."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.models import User
from sync.configuration.filters import save_filter
from sync.configuration.mappings import save_mapping
from sync.models import Delivery, Incident, Operation, Run, Tenant
from sync.notifications.services import add_channel
from sync.preview.services import request_preview
from sync.readiness.services import check_now
from sync.rules.rows import MappingRow
from sync.worker.execution import execute_run
from tests.world.company import aws_user, change, hire
from tests.world.lab import Lab
from tests.world.notified import mail_to
from tests.world.on_demand import demand
from tests.world.tenant import ACTOR, assign, publish, sync

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "Top-Secret-Title"


@pytest.fixture
def jo(owner: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(owner)


@pytest.fixture
def ada(wired: Tenant, lab: Lab) -> dict[str, Any]:
    redact(wired, "Redact([jobTitle])")
    person = hire(lab, "Ada Lovelace", jobTitle=SECRET)
    assign(wired, person)
    return person


def redact(tenant: Tenant, source: str) -> None:
    tenant.refresh_from_db()
    configuration = tenant.configurations.draft() or tenant.configurations.current()
    row = configuration.mappings.filter(object_type="user", target="title").first()
    rule = MappingRow(target="title", kind="expression", source=source)
    save_mapping(actor=ACTOR, tenant=tenant, object_type="user", rule=rule, row=row)


def read(jo: Client, address: str) -> str:
    answer: Any = jo.get(address, follow=True)
    assert answer.status_code == 200, address
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(body.decode())


def everywhere(jo: Client, tenant: Tenant) -> dict[str, str]:
    """Every page and export that tells of people, by address."""
    places = ["", "logs/", "logs/export/", "runs/", "approvals/", "drift/", "readiness/", "readiness/export/"]
    places += [f"logs/{row.pk}/" for row in tenant.operations.all()]
    places += [f"runs/{run.number}/" for run in tenant.runs.all()]
    places += [f"on-demand/{row.pk}/" for row in tenant.demands.all()]
    for run in [run for run in tenant.runs.all() if run.impact]:
        places += [f"draft/impact/{run.number}/", f"draft/impact/{run.number}/export/"]
    return {place: read(jo, f"/t/{tenant.slug}/{place}") for place in places}


def leaks(jo: Client, tenant: Tenant, *texts: str) -> list[str]:
    pages = everywhere(jo, tenant).items()
    return [place for place, page in pages for text in texts or (SECRET,) if text in page]


def test_pages_and_exports_hide_it_from_the_first_preview_to_the_last_comparison(
    wired: Tenant, lab: Lab, jo: Client, ada: dict[str, Any]
) -> None:
    sync(wired, Run.Kind.PREVIEW)
    sync(wired)
    held = aws_user(lab, ada["id"])
    assert held["title"] == SECRET
    change(lab, ada, jobTitle=f"{SECRET} II")
    sync(wired)
    assert aws_user(lab, ada["id"])["title"] == f"{SECRET} II"
    lab.call("PATCH", f"aws/users/{held['id']}", {"title": f"Not-{SECRET}"})
    sync(wired, Run.Kind.VERIFY)
    check_now(wired)
    assert leaks(jo, wired) == []


def test_on_demand_hides_it_in_every_step(wired: Tenant, lab: Lab, jo: Client, ada: dict[str, Any]) -> None:
    sync(wired)
    change(lab, ada, jobTitle=f"{SECRET} II")
    dry, real = demand(wired, ada, write=False), demand(wired, ada)
    assert aws_user(lab, ada["id"])["title"] == f"{SECRET} II"
    assert leaks(jo, wired) == []
    steps = [row.steps for asked in (dry, real) for row in asked.objects_asked.all()]
    assert SECRET not in str(steps)
    assert "[Redact]" in read(jo, f"/t/{wired.slug}/on-demand/{real.pk}/")


def test_on_demand_hides_it_where_a_filter_looked_at_it(wired: Tenant, jo: Client, ada: dict[str, Any]) -> None:
    clause = {"attribute": "jobTitle", "operator": "EQUALS", "value": "Clerk", "ignore_case": False}
    save_filter(actor=ACTOR, tenant=wired, object_type="user", title="Clerks", clauses=[clause])
    publish(wired)
    row = demand(wired, ada).objects_asked.get()
    assert "outside-filter" in str(row.steps)
    assert SECRET not in str(row.steps)


def test_on_demand_hides_a_value_that_aws_would_refuse(
    wired: Tenant, lab: Lab, jo: Client, ada: dict[str, Any]
) -> None:
    change(lab, ada, jobTitle=f"{SECRET}\u200b")
    assert demand(wired, ada).objects_asked.get().result == "skipped"
    check_now(wired)
    assert leaks(jo, wired) == []


def test_what_aws_quotes_of_it_is_hidden_too(wired: Tenant, lab: Lab, jo: Client, ada: dict[str, Any]) -> None:
    mail_to(wired)
    add_channel(tenant=wired, actor=ACTOR, kind="webhook", to="https://hooks.example.com/x")
    said = '{"schemas": [], "detail": "Value \'%s\' at title is not liked", "status": "400"}' % SECRET
    lab.call(
        "POST", "faults", {"part": "aws", "kind": "status", "status": 400, "match": "POST", "body": said, "times": -1}
    )
    sync(wired)
    row = Operation.objects.get(object_id=ada["id"])
    assert row.error == "Value '[Redact]' at title is not liked"
    assert SECRET not in str([row.answer, row.request])
    assert leaks(jo, wired) == []
    assert Delivery.objects.count() == 2
    assert SECRET not in str([*Incident.objects.values(), *Delivery.objects.values()])


@pytest.mark.parametrize("source", ["Redact(Error([jobTitle]))", "Redact(ConvertFromBase64([jobTitle]))"])
def test_an_expression_that_fails_quotes_nothing_of_it(
    wired: Tenant, lab: Lab, jo: Client, ada: dict[str, Any], source: str
) -> None:
    redact(wired, source)
    publish(wired)
    demand(wired, ada)
    sync(wired)
    check_now(wired)
    row = Operation.objects.filter(object_id=ada["id"]).latest("pk")
    assert row.problem == "expression-error"
    assert "[Redact]" in row.error
    assert leaks(jo, wired) == []


def test_a_preview_of_a_draft_hides_it(wired: Tenant, lab: Lab, jo: Client, ada: dict[str, Any]) -> None:
    sync(wired)
    redact(wired, 'Redact(Append([jobTitle], " too"))')
    wired.refresh_from_db()
    run = execute_run(request_preview(tenant=wired, actor=ACTOR, enqueue=False).pk)
    assert run is not None
    assert run.impact
    assert leaks(jo, wired) == []
