"""What is stored, to show that a refusal changed none of it."""

from typing import Any

from django.apps import apps

OURS = ("models_registry", "usage", "monitoring")


def contents() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of ours."""
    models = [model for label in OURS for model in apps.get_app_config(label).get_models()]
    return {model.__name__: list(model._meta.base_manager.order_by("pk").values()) for model in models}
