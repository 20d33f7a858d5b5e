"""An object id of Entra that comes in with a request: a GUID, or nothing is looked up for it."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from django.test import Client

from portal.models import User
from sync.configuration import drafts
from sync.connection import clients
from sync.graph.client import GraphClient
from sync.graph.errors import NotFound
from sync.models import DirectoryGroup, DirectoryUser, Tenant

ADA, GROUP = "5cf687a0-8b15-5fd6-98e7-29696e6c2e14", "6cf687a0-8b15-5fd6-98e7-29696e6c2e14"
NO_IDS = [
    "..",
    f"../groups/{GROUP}",
    "../../beta/me",
    "x')/../users('y",
    f"{ADA}\n",
    f"{{{ADA}}}",
    ADA.replace("-", ""),
    "ada@acme.example",
    "5" * 3_000,
]
BY_PERSON = ["people/", "people/add/", "people/title/"]
BY_GROUP = ["groups/{}/", "groups/{}/now/", "assignments/group/{}/unassign/", "assignments/group/{}/change/"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What Graph is asked, which then knows nothing. No text of a request may be among it."""
    urls: list[str] = []

    def unknown(_client: GraphClient, _method: str, url: str, *_: object) -> None:
        urls.append(url)
        raise NotFound("unknown")

    monkeypatch.setattr(clients, "authenticator", lambda _entra, **_: SimpleNamespace(token=lambda: "token"))
    monkeypatch.setattr(GraphClient, "_once", unknown)
    yield urls
    assert [url for url in urls if not url.endswith("/directoryObjects/getAvailableExtensionProperties")] == []


@pytest.fixture
def jo(tenant: Tenant, owner: User, client_of: Callable[[User], Client]) -> Client:
    DirectoryUser.objects.create(tenant=tenant, object_id=ADA, display_name="Ada")
    DirectoryGroup.objects.create(tenant=tenant, object_id=GROUP, display_name="Engineering")
    return client_of(owner)


@pytest.mark.parametrize("text", NO_IDS)
@pytest.mark.parametrize("place", BY_PERSON)
def test_a_person_of_the_address_is_named_by_a_guid(jo: Client, place: str, text: str) -> None:
    assert jo.get(f"/t/acme/mappings/{place}", {"person": text}).status_code == 404


@pytest.mark.parametrize("text", NO_IDS)
@pytest.mark.parametrize("place", BY_GROUP)
def test_a_group_of_the_address_is_named_by_a_guid(jo: Client, place: str, text: str) -> None:
    address = f"/t/acme/{place.format(quote(text))}"
    refused = 400 if text.endswith("\n") else 404
    assert jo.get(address).status_code == refused
    assert jo.post(address).status_code == refused


@pytest.mark.parametrize("place", ["people/title/", "people/reset/", "people/actions/"])
def test_a_text_that_is_no_id_does_not_travel_on(jo: Client, tenant: Tenant, place: str) -> None:
    form = {"target": "title", "kind": "constant", "source": "x", "apply": "always"}
    answer = jo.post(f"/t/acme/mappings/{place}?person=../../beta/me", form)
    assert "beta" not in answer.get("Location", "")


@pytest.mark.parametrize("text", [text for text in NO_IDS if not text.endswith("\n")])
def test_an_application_is_named_by_a_guid(jo: Client, tenant: Tenant, text: str) -> None:
    followed = jo.post("/t/acme/assignments/application/", {"application": text})
    read = jo.post("/t/acme/configuration/import/", {"step": "entra", "application": text})
    assert (followed.status_code, read.status_code) == (422, 422)
    assert drafts.draft_or_current(tenant).mirrored_app == ""
    assert read.context["entra_form"].errors["application"]


@pytest.mark.parametrize("text", NO_IDS)
@pytest.mark.parametrize("place", ["assignments/assign/", "on-demand/"])
def test_what_is_chosen_in_a_search_is_named_by_guids(jo: Client, tenant: Tenant, place: str, text: str) -> None:
    answer = jo.post(f"/t/acme/{place}", {"chosen": f"user:{text}", "do": "assign"})
    assert answer.status_code == 422
    assert not drafts.draft_or_current(tenant).assignments.exists()
    assert not tenant.demands.exists()


def test_a_group_that_nobody_assigned_or_read_is_not_asked_for(jo: Client) -> None:
    assert jo.get(f"/t/acme/groups/{ADA}/now/").status_code == 404


def test_an_id_in_capitals_is_the_same_object(jo: Client) -> None:
    assert jo.get(f"/t/acme/groups/{GROUP.upper()}/").context["object_id"] == GROUP
