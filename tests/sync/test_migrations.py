"""Migrations that move data: run again on today's tables."""

from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from sync.models import Link, Tenant
from sync.models.tenant import CONTROL_TOWER_GROUPS
from sync.tenants.services import create_tenant

pytestmark = pytest.mark.django_db


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
