import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0029_keep_audit_head")]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="tenant",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deliveries",
                to="sync.tenant",
            ),
        ),
    ]
