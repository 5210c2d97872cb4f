"""Running manage.py as an operator does: a process of its own, on the database of the test or on none."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).parents[2]
FROM_THE_TEST_RUN = ("DATABASE_URL", "DATA_DIR", "SECRET_KEY", "CREDENTIAL_KEYS")


def database_url_of_the_test() -> str:
    """The database that this test's connection is on."""
    here = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{here['NAME']}"
    user = quote(here["USER"]) + (f":{quote(here['PASSWORD'])}" if here["PASSWORD"] else "")
    return f"mysql://{user}@{here['HOST']}:{here['PORT'] or 3306}/{here['NAME']}"


def environment(**variables: str | Path) -> dict[str, str]:
    """This process's environment with these variables instead of the installation's."""
    kept = {name: value for name, value in os.environ.items() if name not in FROM_THE_TEST_RUN}
    return kept | {name: str(value) for name, value in variables.items()}


def started(*arguments: str, env: dict[str, str]) -> "subprocess.Popen[str]":
    """A running `manage.py …`, whose output is read line by line."""
    return subprocess.Popen(
        [sys.executable, "-u", "manage.py", *arguments],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(*arguments: str, env: dict[str, str], within_s: float = 120) -> "subprocess.CompletedProcess[str]":
    """A `manage.py …` that has ended."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=within_s
    )
