from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portal', '0006_keys_and_density'),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='told_days',
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
    ]
