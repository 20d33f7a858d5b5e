"""Provision on demand as pages: who may, what a form says, and a poller that ends."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.models import Role, User
from sync.directory.live import Found
from sync.models import AuditEntry, Demand, DemandObject, Tenant
from sync.on_demand import services
from tests.world.drafted import with_draft, with_versions
from tests.world.people import person

pytestmark = pytest.mark.django_db

ADELE = Found("user", "a" * 36, "Adele Vance", "adele@acme.example", "person")
TEAM = Found("group", "b" * 36, "AWS-Developers", "", "security")


@pytest.fixture
def helpdesk(tenant: Tenant) -> User:
    return person("hal@acme.example", Role.HELPDESK, tenant)


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[Found]:
    """What the pasted lines are found to be."""
    found: list[Found] = []
    monkeypatch.setattr(services, "resolve_names", lambda _tenant, _texts: found)
    return found


def ask(client: Client, tenant: Tenant, **data: str) -> Any:
    return client.post(reverse("on_demand", args=[tenant.slug]), data)


def test_the_option_to_only_look_is_on_until_somebody_unticks_it(
    helpdesk: User, tenant: Tenant, client_of: Callable[[User], Client]
) -> None:
    page = client_of(helpdesk).get(reverse("on_demand", args=[tenant.slug])).content.decode()
    assert 'name="dry_run"' in page
    assert "checked" in page.partition('name="dry_run"')[2].partition(">")[0]


@pytest.mark.parametrize("dry_run", [True, False])
def test_helpdesk_may_ask(
    helpdesk: User, tenant: Tenant, client_of: Callable[[User], Client], resolved: list[Found], dry_run: bool
) -> None:
    resolved.append(ADELE)
    answer = ask(client_of(helpdesk), tenant, pasted="adele@acme.example", **({"dry_run": "on"} if dry_run else {}))
    demand = Demand.objects.get()
    assert answer.url == reverse("demand", args=[tenant.slug, demand.pk]) + "#steps"
    assert (demand.dry_run, demand.requested_by) == (dry_run, helpdesk.email)
    assert demand.objects_asked.get().object_id == ADELE.object_id


def test_while_aws_refuses_the_token_only_a_look_is_possible(
    helpdesk: User, tenant: Tenant, client_of: Callable[[User], Client], resolved: list[Found]
) -> None:
    resolved.append(ADELE)
    tenant.quarantined_at, tenant.quarantine_code = timezone.now(), "token-refused"
    tenant.save()
    asking = client_of(helpdesk)
    answer = ask(asking, tenant, pasted="adele@acme.example")
    assert answer.status_code == 422
    assert "AWS refused the access token" in answer.content.decode()
    assert not Demand.objects.exists()
    assert ask(asking, tenant, pasted="adele@acme.example", dry_run="on").status_code == 302


def test_a_token_that_passed_a_test_since_its_refusal_lets_on_demand_write(
    helpdesk: User, tenant: Tenant, client_of: Callable[[User], Client], resolved: list[Found]
) -> None:
    resolved.append(ADELE)
    now = timezone.now()
    tenant.quarantined_at, tenant.quarantine_code = now - datetime.timedelta(minutes=5), "token-refused"
    tenant.save()
    tenant.aws.changed_at, tenant.aws.tested_at, tenant.aws.test_passed = now, now, True
    tenant.aws.save()
    assert ask(client_of(helpdesk), tenant, pasted="adele@acme.example").status_code == 302


def draft_of(tenant: Tenant) -> None:
    """One with a change."""
    with_versions(tenant)
    with_draft(tenant)


def test_the_draft_can_be_chosen_where_there_is_one_and_then_only_shows(
    helpdesk: User, tenant: Tenant, client_of: Callable[[User], Client], resolved: list[Found]
) -> None:
    resolved.append(ADELE)
    asking = client_of(helpdesk)
    address = reverse("on_demand", args=[tenant.slug])
    assert b'name="drafted"' not in asking.get(address).content
    refused = ask(asking, tenant, pasted="adele@acme.example", dry_run="on", drafted="on")
    assert (refused.status_code, Demand.objects.count()) == (422, 0)
    assert "There is no draft any more" in refused.content.decode()
    draft_of(tenant)
    assert b'name="drafted"' in asking.get(address).content
    writing = ask(asking, tenant, pasted="adele@acme.example", drafted="on")
    assert (writing.status_code, Demand.objects.count()) == (422, 0)
    assert "By the draft nothing is written" in writing.content.decode()
    page = asking.get(ask(asking, tenant, pasted="adele@acme.example", dry_run="on", drafted="on").url)
    demand = Demand.objects.get()
    assert (demand.dry_run, demand.drafted) == (True, True)
    assert "By the draft as it stood then" in page.content.decode()
    assert "Only shows, by the draft" in asking.get(address).content.decode()
    assert AuditEntry.objects.get(verb="demand.request").after["drafted"] is True


def test_what_the_draft_shows_is_not_provisioned_by_one_press(
    helpdesk: User, tenant: Tenant, client_of: Callable[[User], Client]
) -> None:
    demand = Demand.objects.create(tenant=tenant, state="done", drafted=True)
    DemandObject.objects.create(demand=demand, object_type="user", object_id=ADELE.object_id, result="planned")
    page = client_of(helpdesk).get(reverse("demand", args=[tenant.slug, demand.pk])).content.decode()
    assert 'id="to-draft"' in page
    assert 'id="for-real"' not in page


def test_a_viewer_may_look_but_not_ask(
    viewer: User, tenant: Tenant, client_of: Callable[[User], Client], resolved: list[Found]
) -> None:
    resolved.append(ADELE)
    client = client_of(viewer)
    assert b'id="provision"' not in client.get(reverse("on_demand", args=[tenant.slug])).content
    assert ask(client, tenant, pasted="adele@acme.example").status_code == 403
    assert not Demand.objects.exists()


def test_a_group_goes_alone(
    helpdesk: User, tenant: Tenant, client_of: Callable[[User], Client], resolved: list[Found]
) -> None:
    resolved += [ADELE, TEAM]
    answer = ask(client_of(helpdesk), tenant, pasted="both")
    assert answer.status_code == 422
    assert b"Choose one group alone, or up to 50 people." in answer.content


def test_the_sixth_open_request_is_refused_in_words_and_others_may_still_ask(
    helpdesk: User, tenant: Tenant, client_of: Callable[[User], Client], resolved: list[Found]
) -> None:
    """A demand holds up the tenant's syncs."""
    resolved.append(ADELE)
    hal = client_of(helpdesk)
    answers = [ask(hal, tenant, pasted="adele@acme.example", dry_run="on") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [422]
    assert "Five of your requests wait already." in answers[5].content.decode()
    assert Demand.objects.count() == 5
    eve = client_of(person("eve@acme.example", Role.HELPDESK, tenant))
    assert ask(eve, tenant, pasted="adele@acme.example", dry_run="on").status_code == 302
    Demand.objects.filter(requested_by=helpdesk.email).update(state=Demand.State.DONE)
    assert ask(hal, tenant, pasted="adele@acme.example", dry_run="on").status_code == 302


def test_a_name_that_nobody_has_is_said_at_the_field(
    helpdesk: User, tenant: Tenant, client_of: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object) -> None:
        raise services.NotFoundByName(["Nobody"], ["Ann Two"])

    monkeypatch.setattr(services, "resolve_names", nobody)
    answer = ask(client_of(helpdesk), tenant, pasted="Nobody")
    assert answer.status_code == 422
    assert b"Entra knows nobody called: Nobody." in answer.content
    assert b"More than one person is called: Ann Two." in answer.content


def test_the_poller_gets_204_until_something_is_new_and_ends_at_the_end(
    viewer: User, tenant: Tenant, client_of: Callable[[User], Client]
) -> None:
    demand = Demand.objects.create(tenant=tenant, state=Demand.State.RUNNING, sequence=3)
    DemandObject.objects.create(demand=demand, object_type="user", object_id="a" * 36)
    client, url = client_of(viewer), reverse("demand", args=[tenant.slug, demand.pk])
    assert client.get(f"{url}?seen=3", headers={"HX-Request": "true"}).status_code == 204
    newer = client.get(f"{url}?seen=2", headers={"HX-Request": "true"}).content
    assert b"hx-trigger" in newer
    Demand.objects.update(state=Demand.State.DONE)
    last = client.get(f"{url}?seen=3", headers={"HX-Request": "true"})
    assert last.status_code == 200
    assert b"hx-trigger" not in last.content


def test_a_demand_of_another_tenant_is_not_shown(
    viewer: User, tenant: Tenant, client_of: Callable[[User], Client]
) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    demand = Demand.objects.create(tenant=other)
    assert client_of(viewer).get(reverse("demand", args=[tenant.slug, demand.pk])).status_code == 404


def test_a_step_that_said_no_is_told_once_and_the_whole_is_no_success(
    viewer: User, tenant: Tenant, client_of: Callable[[User], Client]
) -> None:
    finding = {"code": "missing-family-name", "attribute": "name.familyName", "value": ""}
    facts = {"problem": finding["code"], "attribute": finding["attribute"], "findings": [finding]}
    now = timezone.now().isoformat()
    demand = Demand.objects.create(tenant=tenant, state=Demand.State.DONE, dry_run=True)
    DemandObject.objects.create(
        demand=demand, object_type="user", object_id="a" * 36, display_name="Adele", result="skipped",
        steps=[{"step": "ready", "state": "failed", "at": now, "facts": facts}],
    )  # fmt: skip
    page = client_of(viewer).get(reverse("demand", args=[tenant.slug, demand.pk]))
    assert page.context["state"] == "completed_with_errors"
    body = page.content.decode().partition('class="ls-check-body')[2].partition("</details>")[0]
    assert body.count("Last name is missing") == 1
