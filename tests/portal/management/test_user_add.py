"""A person who is added at the terminal."""

import pytest
from django.core.management import CommandError, call_command

from portal.models import Role, RoleGrant
from sync.models import Tenant
from tests.world.people import PASSWORD


def test_user_add_makes_a_person_with_a_role(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", iter([]))
    monkeypatch.setattr("getpass.getpass", lambda: PASSWORD)
    call_command("user_add", "ann@acme.example", "--role", "operator", "--tenant", "acme", "--name", "Ann")
    grant = RoleGrant.objects.get()
    assert (grant.user.email, grant.role, grant.tenant) == ("ann@acme.example", Role.OPERATOR, tenant)
    assert grant.user.check_password(PASSWORD)


def test_user_add_knows_only_known_tenants(db: None) -> None:
    with pytest.raises(CommandError, match="no tenant 'nowhere'"):
        call_command("user_add", "ann@acme.example", "--role", "viewer", "--tenant", "nowhere")
