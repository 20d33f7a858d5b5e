"""The menu beside every page of a tenant."""

import pytest
from django.test import Client

from sync.approvals import services
from sync.models import Tenant

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def test_the_menu_counts_what_waits_once_a_page(ready: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Tenant] = []
    monkeypatch.setattr(services, "waiting_decisions", lambda tenant: counted.append(tenant) or 7)
    page = jo.get("/t/acme/provisioning/").content.decode()
    assert counted == [ready]
    assert page.count('href="/t/acme/approvals/"') == 2
