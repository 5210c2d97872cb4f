"""The Django side of a start: migrations and the first admin. Run by the supervisor, prints for people."""

import os
import secrets
import sys
from pathlib import Path

import django

from modelmanager.installation import make_secrets

ADMIN = "admin"
ADMIN_PASSWORD_FILE = "admin-password"  # noqa: S105 - a file's name


def main() -> int:
    """Bring the database up to date and make sure there is an admin; 0, or 1 with one sentence printed."""
    make_secrets(Path(os.environ["DATA_DIR"]))  # on this one host, whatever its database
    django.setup()
    from django.conf import settings
    from django.db import DatabaseError

    try:
        apply_migrations()
        create_admin(Path(settings.DATA_DIR) / ADMIN_PASSWORD_FILE)
    except DatabaseError as error:
        reason = str(error.args[-1] if error.args else error).splitlines()[0]
        print(f"The database cannot be used: {reason}")
        return 1
    return 0


def apply_migrations() -> None:
    """Apply what is missing, saying how much there is."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not missing:
        print("The database is up to date.")
        return
    print(f"Bringing the database up to date ({len(missing)} migrations) …")
    call_command("migrate", verbosity=0, interactive=False)


def create_admin(password_file: Path) -> None:
    """Create the admin with the password in `password_file` (generated when there is none); leave an existing one."""
    from django.contrib.auth import get_user_model

    from modelmanager.lib.secret_files import read_or_create

    users = get_user_model().objects
    if users.filter(username=ADMIN).exists():
        return
    password = read_or_create(password_file, lambda: secrets.token_urlsafe(15))
    users.create_superuser(username=ADMIN, email="", password=password)
    print(f"Created the admin account {ADMIN!r}.")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmanager.settings")
    sys.exit(main())
