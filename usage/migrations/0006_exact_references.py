from django.db import migrations

import modelmanager.lib.exact_text


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0005_repaired_checks'),
    ]

    operations = [
        migrations.AlterField(
            model_name='binding',
            name='reference',
            field=modelmanager.lib.exact_text.ExactTextField(max_length=200, verbose_name='reference'),
        ),
    ]
