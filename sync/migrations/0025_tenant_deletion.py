from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0024_beginnings")]

    operations = [
        migrations.AddField("tenant", "deletion_due_at", models.DateTimeField(blank=True, null=True)),
    ]
