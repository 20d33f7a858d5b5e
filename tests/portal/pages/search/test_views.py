"""Search everywhere: what is found, for whom, and the suggestions under the field of every page."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.models import Role, User
from sync.models import Tenant
from sync.standings.services import refresh_all
from sync.tenants.services import create_tenant
from tests.world.mirrored import mirrored_group, mirrored_person
from tests.world.people import person
from tests.world.runs import new_run

pytestmark = [pytest.mark.django_db, pytest.mark.both]
BUDGET = 15
SUGGEST = {"HX-Request": "true", "HX-Target": "search-suggestions"}


@pytest.fixture
def company(tenant: Tenant) -> Tenant:
    mirrored_person(tenant, "Adele Vance")
    mirrored_group(tenant, "Admins")
    refresh_all(tenant)
    new_run(tenant, 412, started_at=timezone.now())
    return tenant


@pytest.fixture
def other(company: Tenant) -> Tenant:
    other = create_tenant(actor="jo@acme.example", name="Advance Ltd")
    mirrored_person(other, "Adele Other")
    refresh_all(other)
    new_run(other, 412, started_at=timezone.now())
    return other


def test_every_page_leads_to_the_search_without_javascript(company: Tenant, jo: Client) -> None:
    page = jo.get("/t/acme/logs/").content.decode()
    form = page.partition('id="frame-search"')[0].rpartition("<form")[2]
    assert 'action="/search/"' in form
    assert 'name="here" value="acme"' in page


def test_people_and_groups_lead_to_their_pages_and_say_how_they_stand(company: Tenant, jo: Client) -> None:
    page = jo.get("/search/?q=ad&here=acme")
    text = page.content.decode()
    assert [row.name for row in page.context["people"]] == ["Adele Vance"]
    assert [row.name for row in page.context["groups"]] == ["Admins"]
    assert f'href="/t/acme/people/{page.context["people"][0].object_id}/"' in text
    assert f'href="/t/acme/groups/{page.context["groups"][0].object_id}/"' in text
    assert "Waiting for next run" in text


@pytest.mark.parametrize("text", ["412", "run 412", "Run  412"])
def test_a_run_is_found_by_its_number_that_of_the_tenant_at_hand_first(
    company: Tenant, other: Tenant, jo: Client, text: str
) -> None:
    for here, first in (("acme", "Acme"), (other.slug, other.name)):
        found = jo.get("/search/", {"q": text, "here": here}).context["runs"]
        assert len(found) == 2
        assert found[0].tenant.name == first


def test_tenants_pages_and_help_are_found(company: Tenant, other: Tenant, jo: Client) -> None:
    assert [place.title for place in jo.get("/search/?q=advance").context["named"]] == ["Advance Ltd"]
    places = jo.get("/search/?q=mapp&here=acme").context["pages"]
    assert [place.url for place in places] == ["/t/acme/mappings/people/"]
    assert jo.get("/search/?q=mapp").context["pages"] == []
    codes = jo.get("/search/?q=last name").context["help"]
    assert codes[0].url == "/help/errors/missing-family-name/"


def test_nobody_finds_what_is_not_theirs_to_see(
    company: Tenant, other: Tenant, client_of: Callable[[User], Client]
) -> None:
    tom = client_of(person("only@acme.example", Role.VIEWER, company))
    page = tom.get(f"/search/?q=ad&here={other.slug}").context
    assert [row.name for row in page["people"]] == ["Adele Vance"]
    assert (page["named"], page["pages"]) == ([], [])
    assert [run.tenant for run in tom.get("/search/?q=412").context["runs"]] == [company]


def test_suggestions_are_the_first_of_each_without_a_page_around_them(company: Tenant, jo: Client) -> None:
    for n in range(8):
        mirrored_person(company, f"Adam {n}")
    refresh_all(company)
    answer = jo.get("/search/?q=ada&here=acme", headers=SUGGEST)
    text = answer.content.decode()
    assert len(answer.context["people"]) == 5
    assert "<html" not in text
    assert 'href="/search/?q=ada&amp;here=acme"' in text
    assert f'data-say="{answer.context["count"]} results"' in text


def test_what_is_not_found_or_too_short_is_said(company: Tenant, jo: Client) -> None:
    assert "Nothing begins with “zz top”." in jo.get("/search/?q=zz+top").content.decode()
    assert "Type two characters or more." in jo.get("/search/?q=z").content.decode()
    assert "Type two characters or more." in jo.get("/search/").content.decode()


def test_a_search_asks_few_questions_and_no_more_of_many(company: Tenant, jo: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert jo.get("/search/?q=ad&here=acme", headers=SUGGEST).status_code == 200
        return len(captured)

    asked()
    few = asked()
    for n in range(30):
        mirrored_person(company, f"Ad {n}")
        mirrored_group(company, f"Ad {n}")
    refresh_all(company)
    assert asked() <= few <= BUDGET
