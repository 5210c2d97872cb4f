"""What keeps an installation from starting; web, worker and commands ask before they do anything."""

import sys
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from modelmanager.installation import (
    problem_with_database_url,
    problem_with_retention,
    problem_with_secret_key,
    problems_with_credential_keys,
)

INSTALLATION = "installation"  # the tag
GUNICORN_GIVES_UP = 3  # with any other status it starts the process again, for ever


def installation(**_options: Any) -> list[CheckMessage]:
    """Secrets that are missing, malformed or placeholders, a database that is none, and records kept for no time."""
    found: list[CheckMessage] = [
        Error(problem, id="modelmanager.E001") for problem in problems_with_credential_keys(settings.CREDENTIAL_KEYS)
    ]
    if problem := problem_with_secret_key(settings.SECRET_KEY if settings.SECRET_KEY_IS_GIVEN else ""):
        found.append(Error(problem, id="modelmanager.E002"))
    if problem := problem_with_database_url(settings.DATABASE_URL):
        found.append(Error(problem, id="modelmanager.E003"))
    if problem := problem_with_retention(settings.USAGE_RETENTION_DAYS):
        found.append(Error(problem, id="modelmanager.E004"))
    return found


def refuse_a_wrong_installation() -> None:
    """End the process with a sentence for each problem; for web servers, which run no system checks."""
    problems = installation()
    for problem in problems:
        print(problem.msg, file=sys.stderr)
    if problems:
        raise SystemExit(GUNICORN_GIVES_UP)
