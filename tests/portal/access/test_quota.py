"""What is dear is asked for a few times, by people and from our own pages."""

from collections.abc import Callable

import pytest
from django.test import Client

from portal.access import quota
from portal.access.quota import Quota
from portal.models import User
from sync.directory.live import Found
from sync.models import AuditEntry, Demand, Tenant
from sync.on_demand import services
from tests.world.people import person

EXPORTS = ["logs/export/", "readiness/export/", "configuration/export/?download=lockstep"]
ADELE = Found("user", "6cf687a0-8b15-5fd6-98e7-29696e6c2e14", "Adele", "", "person")


@pytest.fixture
def jo(tenant: Tenant, owner: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(owner)


@pytest.mark.parametrize("path", EXPORTS)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_link_starts_no_export(jo: Client, path: str, site: str) -> None:
    assert jo.get(f"/t/acme/{path}", headers={"Sec-Fetch-Site": site}).status_code == 403
    verbs = AuditEntry.objects.values_list("verb", flat=True)
    assert "request.refuse" in verbs
    assert not [verb for verb in verbs if verb.endswith(".export")]


@pytest.mark.parametrize("path", EXPORTS)
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}])
def test_an_export_from_our_page_or_by_its_address_starts(jo: Client, path: str, headers: dict[str, str]) -> None:
    assert jo.get(f"/t/acme/{path}", headers=headers).status_code == 200


def test_exports_are_counted_by_person(
    jo: Client, monkeypatch: pytest.MonkeyPatch, client_of: Callable[[User], Client]
) -> None:
    monkeypatch.setattr(quota, "EXPORT", Quota("export", 2, 3600))
    answers = [jo.get("/t/acme/logs/export/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert "asked too often" in answers[2].content.decode()
    other = client_of(person("eve@acme.example", "owner"))  # type: ignore[arg-type]
    assert other.get("/t/acme/logs/export/").status_code == 200


def test_pasted_lists_are_counted(jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.pages.assignments.views.PASTE", Quota("paste", 1, 3600))
    answers = [jo.post("/t/acme/assignments/paste/", {"pasted": "nobody"}).status_code for _ in range(2)]
    assert answers[1] == 429


def test_a_person_has_a_few_open_demands_in_a_tenant(tenant: Tenant) -> None:
    def ask(actor: str) -> Demand:
        return services.request_demand(tenant=tenant, actor=actor, objects=[ADELE], enqueue=False)

    demands = [ask("jo@acme.example") for _ in range(services.MOST_OPEN)]
    with pytest.raises(services.CannotDemand) as refused:
        ask("jo@acme.example")
    assert refused.value.code == "too-many-open"
    ask("eve@acme.example")
    Demand.objects.filter(pk=demands[0].pk).update(state=Demand.State.DONE)
    ask("jo@acme.example")
