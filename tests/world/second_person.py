"""Whom the portal knows, for tests of what needs a second person."""

import pytest

from portal.access import approvers
from sync.models import Tenant


class Approvers:
    """`emails`: who could approve, for whatever tenant. `gone`: whoever lost the role."""

    def __init__(self) -> None:
        self.emails: list[str] = []
        self.owners: list[str] = ["jo@acme.example"]
        self.gone: list[str] = []


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Approvers:
    found = Approvers()
    monkeypatch.setattr(approvers, "approvers_of", lambda _tenant: list(found.emails))
    monkeypatch.setattr(approvers, "may_configure", lambda _tenant, email: email not in found.gone)
    monkeypatch.setattr(approvers, "owners", lambda: list(found.owners))
    return found


def has_been_on(tenant: Tenant) -> Tenant:
    tenant.enabled, tenant.enabled_changed_at = True, tenant.created_at
    tenant.save()
    return tenant
