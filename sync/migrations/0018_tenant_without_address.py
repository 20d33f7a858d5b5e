from django.db import migrations


class Migration(migrations.Migration):
    """By itself: PostgreSQL changes no table on which rows of the same transaction still wait for a check."""

    dependencies = [("sync", "0017_channels")]

    operations = [
        migrations.RemoveField(model_name="tenant", name="notification_email"),
        migrations.RemoveField(model_name="tenant", name="notify_on_failure"),
    ]
