import django.core.validators
import django.db.models.deletion
import django.db.models.manager
import modelmanager.lib.slugs
from django.db import migrations, models


NIGHT = {"weekdays": [0, 1, 2, 3, 4, 5, 6], "start": "17:00", "end": "09:00"}


def add_night(apps, schema_editor):
    """The window that most models here follow is ready to be picked."""
    apps.get_model("models_registry", "Window").all_objects.create(name="night", timezone="Asia/Seoul", rules=[NIGHT])


class Migration(migrations.Migration):

    dependencies = [
        ('models_registry', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='registeredmodel',
            name='usual_load_s',
            field=models.FloatField(editable=False, null=True, verbose_name='usual load time (s)'),
        ),
        migrations.CreateModel(
            name='Window',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='deleted at')),
                ('name', modelmanager.lib.slugs.NameField(max_length=100, verbose_name='name')),
                ('timezone', models.CharField(default='Asia/Seoul', max_length=60, verbose_name='time zone')),
                ('rules', models.JSONField(blank=True, default=list, verbose_name='weekly hours')),
                ('exceptions', models.JSONField(blank=True, default=list, verbose_name='exceptions')),
                ('drain_s', models.PositiveIntegerField(blank=True, help_text='How long open leases may go on after the closing. Empty: as the provider says.', null=True, validators=[django.core.validators.MaxValueValidator(86400)], verbose_name='drain time (s)')),
                ('edition', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated at')),
                ('live_name', models.GeneratedField(db_persist=True, expression=models.Case(models.When(deleted_at__isnull=True, then=models.F('name')), default=None), output_field=models.CharField(max_length=100))),
            ],
            options={
                'verbose_name': 'window',
                'verbose_name_plural': 'windows',
                'ordering': ['name', 'id'],
                'abstract': False,
                'base_manager_name': 'all_objects',
                'default_manager_name': 'all_objects',
                'constraints': [models.UniqueConstraint(fields=('live_name',), name='window_live_name', violation_error_message='A window of this name exists already.')],
            },
            managers=[
                ('all_objects', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='registeredmodel',
            name='window',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='models', to='models_registry.window', verbose_name='window'),
        ),
        migrations.RunPython(add_night, migrations.RunPython.noop, elidable=True),
    ]
