"""People who are signed in, over the world of the service tests."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from tests.monitoring.fixtures import build, clock, shared_world, tasks, world

if TYPE_CHECKING:
    from tests.console.browsing import Watched

__all__ = ["build", "clock", "shared_world", "tasks", "world"]

PASSWORD = "a-long-enough-one"


def signed_in(user: User) -> Client:
    """A browser in English."""
    browser = Client(headers={"Accept-Language": "en"})
    browser.force_login(user)
    return browser


def staff(name: str, *permissions: str) -> User:
    """A member of staff with these permissions only."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("olivia")


@pytest.fixture
def browser(admin: User) -> Client:
    """Somebody who may do everything."""
    return signed_in(admin)


@pytest.fixture
def watched(
    transactional_db: None, tasks: list[str], monkeypatch: pytest.MonkeyPatch, live_server: LiveServer
) -> "Iterator[Watched]":
    """A real browser in which somebody English has signed in; nothing goes wrong in it, and it asks no other host."""
    from tests.console.browsing import browser_at

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's driver has a loop in this thread
    User.objects.create_superuser("olivia", password=PASSWORD)
    with browser_at(live_server.url, locale="en-US") as watched:
        watched.sign_in("olivia", PASSWORD)
        yield watched
        watched.page.wait_for_load_state("networkidle")
    assert watched.faults == []
