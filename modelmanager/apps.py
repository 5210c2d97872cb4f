"""The project itself as an app: templates, translations and shared commands."""

from django.apps import AppConfig, apps
from django.core import checks
from django.utils.translation import gettext_lazy as _

from modelmanager.checks import INSTALLATION, installation
from modelmanager.lib.ignoring_case import ignore_case_in_searches


class ModelManagerConfig(AppConfig):
    name = "modelmanager"
    verbose_name = "Model Manager"

    def ready(self) -> None:
        apps.get_app_config("axes").verbose_name = _("Sign-ins")  # packages that have no name in Korean
        apps.get_app_config("django_q").verbose_name = _("Background jobs")
        ignore_case_in_searches()
        checks.register(installation, INSTALLATION)
