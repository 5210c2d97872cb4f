
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='operation',
            name='memory_after_mb',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='operation',
            name='memory_before_mb',
            field=models.PositiveIntegerField(null=True),
        ),
    ]
