"""A tenant's name and time zone as a page: who may change them, what is refused, what two people at once see."""

import datetime
from collections.abc import Callable

import pytest
from django.test import Client

from portal.models import Role, User
from sync.models import AuditEntry, Tenant
from sync.tenants.services import create_tenant
from tests.world.people import person

PAGE = "/t/acme/settings/"


@pytest.fixture
def jo(owner: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(owner)


def seen(client: Client) -> str:
    return str(client.get(PAGE).context["seen"])


def save(client: Client, name: str, zone: str = "UTC", shown: str | None = None) -> tuple[int, str]:
    data = {"name": name, "time_zone": zone, "seen": seen(client) if shown is None else shown}
    answer = client.post(PAGE, data, follow=True)
    return answer.status_code, answer.content.decode()


def facts(tenant: Tenant) -> tuple[str, str, str]:
    tenant.refresh_from_db()
    return tenant.name, tenant.time_zone, tenant.slug


def test_name_and_zone_are_changed_and_the_short_name_stays(tenant: Tenant, jo: Client) -> None:
    status, page = save(jo, " Acme Europe ", "Europe/Berlin")
    assert (status, facts(tenant)) == (200, ("Acme Europe", "Europe/Berlin", "acme"))
    assert "Saved." in page
    entry = AuditEntry.objects.get(verb="tenant.change")
    assert (entry.tenant, entry.actor) == (tenant, "jo@acme.example")
    assert (entry.before, entry.after) == (
        {"name": "Acme", "time_zone": "UTC"},
        {"name": "Acme Europe", "time_zone": "Europe/Berlin"},
    )


def test_saving_what_is_there_already_leaves_no_entry(tenant: Tenant, jo: Client) -> None:
    assert save(jo, "Acme")[0] == 200
    assert not AuditEntry.objects.filter(verb="tenant.change").exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.CONFIGURATOR, Role.APPROVER])
def test_only_an_owner_may(tenant: Tenant, client_of: Callable[[User], Client], role: Role) -> None:
    client = client_of(person("tom@acme.example", role, tenant))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"name": "Mine", "time_zone": "UTC"}).status_code == 403
    assert facts(tenant)[0] == "Acme"


@pytest.mark.parametrize(
    ("name", "zone", "words"),
    [
        ("", "UTC", "This field is required."),
        ("x" * 101, "UTC", "at most 100 characters"),
        ("Acme", "Mars/Olympus", "Select a valid choice"),
        ("OTHER", "UTC", "A tenant has this name already."),
    ],
)
def test_what_cannot_be_saved_is_refused_at_its_field(
    tenant: Tenant, jo: Client, name: str, zone: str, words: str
) -> None:
    create_tenant(actor="jo", name="Other")
    status, page = save(jo, name, zone)
    assert status == 422
    assert words in page
    assert "There is a problem" in page
    assert facts(tenant) == ("Acme", "UTC", "acme")


def test_another_letter_case_of_the_own_name_is_no_other_tenants(tenant: Tenant, jo: Client) -> None:
    assert save(jo, "ACME")[0] == 200
    assert facts(tenant)[0] == "ACME"


def test_of_two_who_save_at_once_the_second_is_asked_and_loses_nothing(tenant: Tenant, jo: Client) -> None:
    shown = seen(jo)
    save(jo, "First", "Europe/Paris", shown)
    status, page = save(jo, "Second", "Europe/Rome", shown)
    assert status == 409
    assert "it is First in Europe/Paris now" in page
    assert 'value="Second"' in page
    assert '<option value="Europe/Rome" selected>' in page
    assert facts(tenant)[0] == "First"
    assert save(jo, "Second", "Europe/Rome")[0] == 200
    assert facts(tenant)[:2] == ("Second", "Europe/Rome")


def test_a_zone_that_is_not_offered_stays_as_it_is(tenant: Tenant, jo: Client) -> None:
    Tenant.objects.update(time_zone="CET")
    assert '<option value="CET" selected>' in jo.get(PAGE).content.decode()
    assert save(jo, "Acme", "CET")[0] == 200
    assert facts(tenant)[1] == "CET"


def test_it_is_found_from_the_list_of_tenants_and_from_set_up(
    tenant: Tenant, jo: Client, viewer: User, client_of: Callable[[User], Client]
) -> None:
    assert f'href="{PAGE}"' in jo.get("/t/?stay=1").content.decode()
    assert f'href="{PAGE}"' in jo.get("/t/acme/setup/").content.decode()
    for page in ("/t/?stay=1", "/t/acme/setup/"):
        assert f'href="{PAGE}"' not in client_of(viewer).get(page).content.decode()


def test_a_tenant_is_deleted_by_typing_its_name(tenant: Tenant, jo: Client) -> None:
    page = jo.get(f"{PAGE}delete/").content.decode()
    assert "0 people and 0 groups stay in AWS" in " ".join(page.split())
    wrong = jo.post(f"{PAGE}delete/", {"confirm": "acm"})
    assert (wrong.status_code, Tenant.objects.count()) == (422, 1)
    assert "Type acme to confirm." in wrong.content.decode()
    gone = jo.post(f"{PAGE}delete/", {"confirm": " ACME "}, follow=True)
    assert "Acme is deleted. What it had in AWS is there still." in gone.content.decode()
    assert jo.get("/t/acme/").status_code == 404
    assert AuditEntry.objects.get(verb="tenant.delete").actor == "jo@acme.example"


def test_a_deletion_says_what_microsoft_could_not_be_told(
    tenant: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = datetime.datetime(2027, 1, 5, 12, tzinfo=datetime.UTC)
    monkeypatch.setattr("sync.directory.subscriptions.end_all", lambda _tenant: until)
    gone = jo.post(f"{PAGE}delete/", {"confirm": "acme"}, follow=True).content.decode()
    assert "It stops by itself on 5 Jan 2027" in gone
    assert "Acme is deleted." in gone


def test_a_tenant_that_is_on_says_what_comes_first(tenant: Tenant, jo: Client) -> None:
    Tenant.objects.update(enabled=True)
    page = jo.get(f"{PAGE}delete/").content.decode()
    assert "Turn it off first." in page
    assert "Delete the tenant" not in page
    refused = jo.post(f"{PAGE}delete/", {"confirm": "acme"}, follow=True)
    assert "Nothing was deleted" in refused.content.decode()
    assert Tenant.objects.exists()
