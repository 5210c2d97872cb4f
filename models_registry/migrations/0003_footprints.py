
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('models_registry', '0002_windows'),
    ]

    operations = [
        migrations.AddField(
            model_name='provider',
            name='memory_awaited_mb',
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='provider',
            name='memory_held_since',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='registeredmodel',
            name='measured_memory_mb',
            field=models.PositiveIntegerField(editable=False, null=True, verbose_name='measured GPU memory (MB)'),
        ),
    ]
