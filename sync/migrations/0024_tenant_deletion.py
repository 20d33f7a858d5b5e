from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0023_backup")]

    operations = [
        migrations.AddField("tenant", "deletion_due_at", models.DateTimeField(blank=True, null=True)),
    ]
