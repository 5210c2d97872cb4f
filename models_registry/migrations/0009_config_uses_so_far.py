from itertools import islice

from django.db import migrations
from django.db.models import F

CHUNK = 500


def note_what_is_in_force(apps, schema_editor):
    """Each model has run with its current version since it was registered: there was no other."""
    Model = apps.get_model("models_registry", "RegisteredModel")
    Use = apps.get_model("models_registry", "ConfigUse")
    models = Model.all_objects.filter(config__isnull=False, config_uses__isnull=True).values_list(
        "pk", "config_id", "config__number", "config__created_by", "created_at"
    )
    uses = (
        Use(model_id=pk, config_id=config, newest=number, at=at, actor=actor or "system", since=at)
        for pk, config, number, actor, at in models.iterator(chunk_size=CHUNK)
    )
    while chunk := list(islice(uses, CHUNK)):
        Use.objects.bulk_create(chunk)
    resident = Model.all_objects.filter(on_gpu=True, observed__in=("loading", "ready", "unloading"))
    resident.filter(loaded_config__isnull=True).update(loaded_config=F("config"))


class Migration(migrations.Migration):

    dependencies = [
        ('models_registry', '0008_config_uses'),
    ]

    operations = [
        migrations.RunPython(note_what_is_in_force, migrations.RunPython.noop, elidable=True),
    ]
