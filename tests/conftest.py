"""The installation that the tests run on."""

import os
import signal
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet


def pytest_configure(config: pytest.Config) -> None:
    """What the tests' children inherit: Ctrl-C as in a terminal and, on a database elsewhere without any, secrets."""
    from django.conf import settings

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background job ignores Ctrl-C, and all that it starts would, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Every browser of a test is a server of its own: hundreds of static files are not listed for each of them,
    # and no password takes the 0.2 s that a good hash is meant to take.
    settings.WHITENOISE_AUTOREFRESH = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if not settings.SECRET_KEY_IS_GIVEN:
        os.environ["SECRET_KEY"] = settings.SECRET_KEY
        settings.SECRET_KEY_IS_GIVEN = True
    if not settings.CREDENTIAL_KEYS:
        os.environ["CREDENTIAL_KEYS"] = Fernet.generate_key().decode()
        settings.CREDENTIAL_KEYS = [os.environ["CREDENTIAL_KEYS"]]


DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a database elsewhere, only what touches it is worth running again."""
    from django.conf import settings

    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return
    kept = [item for item in items if _touches_the_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def _touches_the_database(item: pytest.Item) -> bool:
    markers = {mark.name for mark in item.iter_markers()}
    if "embedded_only" in markers:
        return False
    return bool({"django_db", "mariadb"} & markers or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())))


@pytest.fixture(autouse=True)
def _language_of_its_own() -> Iterator[None]:
    """Each test begins in the installation's language, whatever a request of the test before asked for."""
    from django.utils import translation

    translation.deactivate()
    yield
    translation.deactivate()
