from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0021_second_person'),
    ]

    operations = [
        migrations.CreateModel(
            name='DatabaseSize',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(unique=True)),
                ('bytes', models.PositiveBigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Pruning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=12, unique=True)),
                ('at', models.DateTimeField()),
                ('removed', models.PositiveBigIntegerField(default=0)),
                ('unfinished', models.BooleanField(default=False)),
            ],
        ),
        migrations.AddField(
            model_name='run',
            name='kept',
            field=models.CharField(choices=[('all', 'All'), ('rows', 'Rows'), ('nothing', 'Nothing')], default='all', max_length=7),
        ),
        migrations.AddField(
            model_name='run',
            name='stands_for',
            field=models.PositiveIntegerField(default=1),
        ),
    ]
