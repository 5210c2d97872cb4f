"""`manage.py migrate`, which asks whether the installation is in order before it asks the database anything."""

from django.core.management.commands import migrate

from modelmanager.checks import INSTALLATION


class Command(migrate.Command):
    """Django's own runs its checks together with those that connect."""

    requires_system_checks = [INSTALLATION]
