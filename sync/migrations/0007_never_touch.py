"""The list of what is never touched named every group that begins with AWS, in any letter case; now Control Tower's own."""

from django.db import migrations
from django.utils import timezone

BEFORE = ["AWS*"]
# As of this migration: sync/models/tenant.py.
CONTROL_TOWER_GROUPS = [
    "AWSAccountFactory",
    "AWSAuditAccountAdmins",
    "AWSControlTowerAdmins",
    "AWSLogArchiveAdmins",
    "AWSLogArchiveViewers",
    "AWSSecurityAuditPowerUsers",
    "AWSSecurityAuditors",
    "AWSServiceCatalogAdmins",
]


def narrow(apps, schema_editor):
    """Who was left alone is looked at again by the next run."""
    tenant_model, link_model = apps.get_model("sync", "Tenant"), apps.get_model("sync", "Link")
    for tenant in tenant_model.objects.all():
        if tenant.never_touch == BEFORE:
            tenant.never_touch = CONTROL_TOWER_GROUPS
            tenant.save(update_fields=["never_touch"])
            left_alone = link_model.objects.filter(tenant=tenant, scim_id="", match_code="left-alone")
            left_alone.update(retry_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("sync", "0006_deliveries")]

    operations = [migrations.RunPython(narrow, migrations.RunPython.noop)]
