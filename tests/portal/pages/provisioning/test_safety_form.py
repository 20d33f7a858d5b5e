"""The safety card: what it shows, saves and refuses."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.models import Role, User
from sync.configuration.current import configuration_of
from sync.models import AuditEntry, Tenant
from sync.rules.limits import Limits
from sync.tenants.queries import safety_of
from tests.world.people import person

pytestmark = pytest.mark.django_db
PATH = "/t/acme/provisioning/safety/"


def form(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    """The page's own values, as a browser sends them."""
    stored = safety_of(tenant)
    values = {**{name: value for name, value in stored.items() if name != "limits"}, **stored["limits"]}
    values["never_touch"] = "\n".join(stored["never_touch"])
    values |= changes
    return {name: value for name, value in values.items() if value is not False}


def test_the_page_shows_every_limit_with_its_value(tenant: Tenant, jo: Client) -> None:
    page = jo.get("/t/acme/provisioning/").content.decode()
    for name, value in safety_of(tenant)["limits"].items():
        assert f'name="{name}" value="{value}"' in page


def test_only_what_differs_from_the_defaults_is_kept(tenant: Tenant, jo: Client) -> None:
    assert jo.post(PATH, form(tenant, people_at_most=25, delete_after_days=0, repair="on")).status_code == 302
    tenant.refresh_from_db()
    assert tenant.limits == {"people_at_most": 25}
    assert Limits.of(tenant.limits).people(10_000) == 25
    assert (tenant.delete_after_days, tenant.repair) == (0, True)
    entry = AuditEntry.objects.get(verb="safety.save")
    assert entry.before == {"people_at_most": 10, "delete_after_days": 30, "repair": False}


def test_saving_the_same_again_changes_nothing(tenant: Tenant, jo: Client) -> None:
    jo.post(PATH, form(tenant))
    assert not AuditEntry.objects.filter(verb="safety.save").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"people_percent": "101"}, "less than or equal to 100"),
        ({"people_percent": "x"}, "whole number"),
        ({"shrink_percent": "0"}, "greater than or equal to 1"),
        ({"people_at_most": "2"}, "must not be below the lowest one, which is 3"),
        ({"delete_after_days": "-1"}, "greater than or equal to 0"),
        ({"never_touch": "x" * 201}, "longer than 200 characters"),
        ({"adoption": "always"}, "valid choice"),
    ],
)
def test_what_cannot_be_saved_is_said_and_nothing_changes(
    tenant: Tenant, jo: Client, changes: dict[str, Any], words: str
) -> None:
    answer = jo.post(PATH, form(tenant, **changes))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    before = safety_of(tenant)
    tenant.refresh_from_db()
    assert safety_of(tenant) == before


@pytest.mark.parametrize("changes", [{"adoption": "match"}, {"never_touch": "AWS*\nAudit-*"}])
def test_another_rule_for_linking_asks_for_a_new_yes(tenant: Tenant, jo: Client, changes: dict[str, Any]) -> None:
    before = configuration_of(tenant).scope_changed_at
    jo.post(PATH, form(tenant, **changes))
    assert configuration_of(tenant).scope_changed_at > before


def test_limits_alone_ask_for_none(tenant: Tenant, jo: Client) -> None:
    before = configuration_of(tenant).scope_changed_at
    jo.post(PATH, form(tenant, creates_percent=80))
    assert configuration_of(tenant).scope_changed_at == before


def test_an_operator_sees_the_limits_but_cannot_change_them(
    tenant: Tenant, client_of: Callable[[User], Client]
) -> None:
    client = client_of(person("op@acme.example", Role.OPERATOR, tenant))
    assert 'class="ls-plain-set" disabled' in client.get("/t/acme/provisioning/").content.decode()
    assert client.post(PATH, form(tenant, people_at_most=99)).status_code == 403
