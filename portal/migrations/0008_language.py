from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portal', '0007_token_ends'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='language',
            field=models.CharField(blank=True, default='', max_length=10, verbose_name='language'),
        ),
    ]
