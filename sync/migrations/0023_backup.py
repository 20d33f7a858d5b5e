from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0022_retention'),
    ]

    operations = [
        migrations.CreateModel(
            name='Backup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('bytes', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.AddField(
            model_name='tenant',
            name='restored_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
