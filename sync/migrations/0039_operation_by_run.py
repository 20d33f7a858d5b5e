"""The indexes go by name: through AlterField SQLite would copy the whole log, twice."""

import django.db.models.deletion
from django.db import migrations, models

INDEXES = {"run_id": "sync_operation_run_id_a126c6b7", "tenant_id": "sync_operation_tenant_id_7c618659"}


def parent(model: str) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="operations", to=model
    )


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0038_draft_on_demand"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(fields=["run", "id"], name="operation_by_run"),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField("operation", "run", parent("sync.run")),
                migrations.AlterField("operation", "tenant", parent("sync.tenant")),
            ],
            database_operations=[
                migrations.RunSQL(f"DROP INDEX IF EXISTS {name}", f"CREATE INDEX {name} ON sync_operation ({column})")
                for column, name in INDEXES.items()
            ],
        ),
    ]
