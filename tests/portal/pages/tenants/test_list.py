"""The list of tenants: trouble first, what waits where, and the last syncs of each."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sync.models import HeldChange, Hold, Incident, Tenant
from sync.tenants.services import create_tenant
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db


def made(name: str, **facts: Any) -> Tenant:
    tenant = create_tenant(actor="jo@acme.example", name=name)
    Tenant.objects.filter(pk=tenant.pk).update(enabled=True, enabled_changed_at=timezone.now(), **facts)
    tenant.refresh_from_db()
    return tenant


def rows(jo: Client, query: str = "") -> list[Any]:
    return list(jo.get(f"/t/?stay=1{query}").context["rows"])


def held(tenant: Tenant) -> None:
    run = new_run(tenant, 1, state="waiting_for_approval", started_at=timezone.now())
    hold = Hold.objects.create(tenant=tenant, kind="people", run=run)
    HeldChange.objects.create(hold=hold, tenant=tenant, action="disable", object_type="user", object_id="a" * 36)


def test_whoever_needs_somebody_comes_first(jo: Client) -> None:
    create_tenant(actor="jo@acme.example", name="Aaa not set up")
    new_run(made("Bbb fine"), 1, started_at=timezone.now())
    held(made("Ccc waits"))
    new_run(made("Ddd failed"), 1, state="failed", started_at=timezone.now())
    made("Eee stands still", quarantined_at=timezone.now(), quarantine_code="token-refused")
    names = [row.tenant.name[:3] for row in rows(jo)]
    assert names == ["Eee", "Ddd", "Ccc", "Bbb", "Aaa"]


def test_what_waits_for_somebody_is_counted_and_leads_there(jo: Client) -> None:
    tenant = made("Acme")
    held(tenant)
    Incident.objects.create(tenant=tenant, code="rejected", opened_at=timezone.now())
    soon = timezone.now().date() + datetime.timedelta(days=20)
    tenant.aws.token_created_on = soon - datetime.timedelta(days=365)
    tenant.aws.save()
    made("Other")
    first, other = rows(jo)
    assert (first.decisions, first.incidents, first.ending) == (1, 1, soon)
    assert (other.decisions, other.incidents, other.ending) == (0, 0, None)
    page = jo.get("/t/?stay=1").content.decode()
    for address in ("/t/acme/approvals/", "/t/acme/incidents/", "/t/acme/connection/"):
        assert f'class="ls-waits" href="{address}"' in page


def test_the_last_syncs_are_marks_and_words(jo: Client) -> None:
    tenant = made("Acme")
    for number in range(1, 19):
        state = "completed_with_errors" if number in (2, 9) else "completed"
        new_run(tenant, number, kind="preview" if number == 12 else "changes", state=state)
    Tenant.objects.filter(pk=tenant.pk).update(last_run_number=18)
    made("Other")
    row = next(row for row in rows(jo) if row.tenant == tenant)
    assert [run.number for run in row.strip] == [4, 5, 6, 7, 8, 9, 10, 11, *range(13, 19)]
    assert "Last 14 syncs: 13 completed, 1 completed with errors" in jo.get("/t/?stay=1").content.decode()


def test_the_counters_filter_and_the_search_finds(jo: Client) -> None:
    for n in range(8):
        made(f"Company {n}")
    made("Quiet", quarantined_at=timezone.now(), quarantine_code="token-refused")
    page = jo.get("/t/?stay=1")
    assert [(word, n) for word, n, _link in page.context["counters"]] == [("quarantined", 1), ("on", 8)]
    link = page.context["counters"][0][2]
    assert [row.tenant.name for row in jo.get(f"/t/{link}").context["rows"]] == ["Quiet"]
    assert 'id="id_q"' in page.content.decode()
    assert [row.tenant.name for row in rows(jo, "&q=pany 3")] == ["Company 3"]
    assert "No tenant matches." in jo.get("/t/?stay=1&q=nobody").content.decode()


def test_with_few_tenants_there_is_nothing_to_search(jo: Client) -> None:
    made("Acme")
    made("Other")
    assert 'id="id_q"' not in jo.get("/t/?stay=1").content.decode()


def test_each_shows_the_directory_that_it_reads(jo: Client) -> None:
    tenant = made("Acme two")
    tenant.entra.directory_id = "99999999-9999-4999-8999-999999999999"
    tenant.entra.save()
    assert "99999999-9999-4999-8999-999999999999" in jo.get("/t/?stay=1").content.decode()
