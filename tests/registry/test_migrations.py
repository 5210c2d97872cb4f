"""The migrations build the tables from nothing, take them away again, and miss nothing of the models."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

APPS = ("monitoring", "usage", "models_registry")


def tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith(tuple(f"{a}_" for a in APPS))}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_migrations_apply_and_reverse() -> None:
    before = tables()
    assert {"models_registry_registeredmodel", "usage_lease", "monitoring_operation"} <= before
    try:
        for app in APPS:
            call_command("migrate", app, "zero", verbosity=0)
        assert tables() == set()
    finally:
        call_command("migrate", verbosity=0)
    assert tables() == before
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


@pytest.mark.django_db
def test_no_change_of_a_model_is_without_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_the_database_has_every_constraint_that_the_models_name() -> None:
    from django.apps import apps

    for model in (model for app in APPS for model in apps.get_app_config(app).get_models()):
        with connection.cursor() as cursor:
            present = connection.introspection.get_constraints(cursor, model._meta.db_table)
        for constraint in model._meta.constraints:
            assert present[constraint.name]["unique"], constraint.name
        assert {index.name for index in model._meta.indexes} <= present.keys()
