"""The project itself as an app: templates, translations and shared commands."""

from django.apps import AppConfig


class ModelManagerConfig(AppConfig):
    name = "modelmanager"
    verbose_name = "Model Manager"
