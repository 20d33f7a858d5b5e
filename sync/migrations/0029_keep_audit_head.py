"""The end of the audit log only moves on."""

from django.db import migrations

from sync.audit import triggers


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0028_graph_subscriptions'),
    ]

    operations = [
        migrations.RunPython(triggers.create_head, triggers.drop_head),
    ]
