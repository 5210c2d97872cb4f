"""An empty database for each example of a property test."""

from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from models_registry.models import Provider, RegisteredModel
from usage import breaker
from usage.models import Client

OUR_APPS = ("models_registry", "usage", "monitoring")
SUBJECTS: tuple[type[models.Model], ...] = (RegisteredModel, Client, Provider)


def clear() -> None:
    """Delete providers, models and clients, and every row that refers to one, whichever tables there are by now."""
    with transaction.atomic(), connection.constraint_checks_disabled():  # SQLite checks at the commit by itself
        for table in (*_referring(), *SUBJECTS):
            table._base_manager.all()._raw_delete(connection.alias)
    breaker.forget()


@cache
def _referring() -> tuple[type[models.Model], ...]:
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] in OUR_APPS]
    return tuple(model for model in ours if model not in SUBJECTS and any(map(_refers, model._meta.get_fields())))


def _refers(field: Any) -> bool:
    return isinstance(field, models.ForeignKey) and field.remote_field.model in SUBJECTS
