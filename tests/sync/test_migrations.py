"""Migrations that move data: run again on today's tables."""

from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from sync.models import Incident, Link, Tenant, Word
from sync.models.tenant import CONTROL_TOWER_GROUPS
from sync.notifications.kinds import NAMES, kind_of
from sync.tenants.services import create_tenant

pytestmark = pytest.mark.django_db
HELD = {"held-people": Word.HELD}


def test_the_old_default_of_the_never_touch_list_becomes_the_new_one(tenant: Tenant) -> None:
    own = create_tenant(actor="jo", name="Own list")
    Tenant.objects.filter(pk=tenant.pk).update(never_touch=["AWS*"])
    Tenant.objects.filter(pk=own.pk).update(never_touch=["AWS*", "Audit-*"])
    for one in (tenant, own):
        facts = {"tenant": one, "object_type": "group"}
        Link.objects.create(object_id="1" * 36, match_code="left-alone", **facts)
        Link.objects.create(object_id="2" * 36, match_code="exists-unlinked", **facts)
    import_module("sync.migrations.0007_never_touch").narrow(apps, None)
    tenant.refresh_from_db()
    own.refresh_from_db()
    assert tenant.never_touch == list(CONTROL_TOWER_GROUPS)
    assert own.never_touch == ["AWS*", "Audit-*"]
    due = Link.objects.filter(retry_at__lte=timezone.now())
    assert [(link.tenant, link.object_id[0]) for link in due] == [(tenant, "1")]


def test_an_address_of_old_would_be_a_channel_that_hears_of_every_kind() -> None:
    """The migration has a list of its own: what it gives to old addresses is what new channels get."""
    assert list(import_module("sync.migrations.0017_channels").KINDS) == list(NAMES)


def test_open_incidents_get_their_kind(tenant: Tenant) -> None:
    facts = {"tenant": tenant, "opened_at": timezone.now()}
    for code, of_run in (("token-refused", True), ("graph-down", True), ("held-people", False), ("rejected", False)):
        Incident.objects.create(code=code, of_run=of_run, **facts)
    import_module("sync.migrations.0017_channels").sort_incidents(apps, None)
    kinds = dict(Incident.objects.values_list("code", "kind"))
    assert kinds == {
        code: kind_of(code, HELD.get(code), of_run=code in ("token-refused", "graph-down")) for code in kinds
    }
