"""The rehearsal lab's values, entered by one press: only where the lab is part of the installation."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from portal.deployment import extra_hosts
from portal.models import User
from sync.models import Half, Tenant
from tests.world.lab import Lab

pytestmark = [pytest.mark.django_db, pytest.mark.company(5, groups=1, memberships=2)]

FORMS = ("/t/acme/connection/entra/", "/t/acme/connection/aws/")


def test_one_press_enters_and_tests_both_halves(jo: Client, tenant: Tenant, lab: Lab, settings: Any) -> None:
    settings.LAB_CONSOLE = lab.facts["console"]
    for address in FORMS:
        shown = jo.get(address).content.decode()
        assert 'action="/t/acme/connection/lab/"' in shown
        assert f'href="{lab.facts["console"]}"' in shown
    assert jo.post("/t/acme/connection/lab/").status_code == 302
    tenant.entra.refresh_from_db()
    tenant.aws.refresh_from_db()
    values = lab.call("GET", "connection")
    assert (tenant.entra.directory_id, tenant.entra.client_id) == (values["directory_id"], values["client_id"])
    assert tenant.aws.endpoint.rstrip("/") == values["scim_endpoint"].rstrip("/")
    assert {test.half for test in tenant.connection_tests.all()} == set(Half)
    # No secret comes back to a page.
    page = jo.get("/t/acme/connection/entra/").content.decode()
    assert values["client_secret"] not in page


def test_without_a_lab_nothing_is_offered_and_nothing_is_entered(jo: Client, tenant: Tenant, settings: Any) -> None:
    settings.LAB_CONSOLE = ""
    for address in FORMS:
        assert "Use these" not in jo.get(address).content.decode()
    assert jo.post("/t/acme/connection/lab/").status_code == 404
    tenant.entra.refresh_from_db()
    assert tenant.entra.directory_id == ""


def test_it_never_takes_the_place_of_something_real(jo: Client, tenant: Tenant, lab: Lab, settings: Any) -> None:
    settings.LAB_CONSOLE = lab.facts["console"]
    tenant.aws.endpoint, tenant.aws.sealed_token = "https://scim.eu-central-1.amazonaws.com/x/scim/v2", "sealed"
    tenant.aws.save()
    assert "Use these" not in jo.get(FORMS[0]).content.decode()
    assert jo.post("/t/acme/connection/lab/").status_code == 404
    tenant.entra.refresh_from_db()
    assert tenant.entra.directory_id == ""


def test_a_lab_that_is_gone_is_said_in_words(jo: Client, tenant: Tenant, settings: Any) -> None:
    settings.LAB_CONSOLE = "http://localhost:9/"
    assert "does not answer" in jo.post("/t/acme/connection/lab/", follow=True).content.decode()


def test_who_only_reads_may_not_press_it(
    viewer: User, client_of: Callable[[User], Client], settings: Any, lab: Lab
) -> None:
    settings.LAB_CONSOLE = lab.facts["console"]
    assert client_of(viewer).post("/t/acme/connection/lab/").status_code == 403


def test_every_page_leads_to_the_lab_where_there_is_one(jo: Client, tenant: Tenant, settings: Any) -> None:
    settings.LAB_CONSOLE = "http://localhost:9/"
    assert 'href="http://localhost:9/"' in jo.get("/t/acme/setup/").content.decode()
    settings.LAB_CONSOLE = ""
    assert "Rehearsal lab" not in jo.get("/t/acme/setup/").content.decode()


@pytest.mark.parametrize("url", ["https://localhost:1/", "http://lab.example:1/", "http://localhost:1/x", "localhost"])
def test_the_lab_is_on_this_machine_or_nowhere(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LAB_CONSOLE", url)
    with pytest.raises(ImproperlyConfigured, match="on this machine"):
        extra_hosts.lab_console("LAB_CONSOLE")
