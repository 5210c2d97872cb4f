"""A canary: planted secrets are on no page of the console, in no history row and in no session."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core import serializers
from django.test import Client as Browser
from django_q.models import OrmQ

from models_registry.models import Provider
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, pages_of_tables
from tests.monitoring.world import World
from usage.services.bindings import bind
from usage.services.clients import issue_key

SECRET = "sk-canary-0123456789abcdefghij"


@pytest.fixture
def planted(browser: Browser, shared_world: World) -> tuple[World, list[str]]:
    """A world in which a provider got a key and a client another, all by hand; and these secrets."""
    world = shared_world
    world.add("bge")
    world.make_ready("bge")
    world.use("bge")
    bind("bge", client_id=world.client.pk, reference="search")
    form = browser.get(page("models_registry.provider", "change", world.provider.pk)).context["adminform"].form
    typed = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    changed = browser.post(
        page("models_registry.provider", "change", world.provider.pk), typed | {"api_key": SECRET}, follow=True
    )
    assert Provider.objects.get().api_key == SECRET
    assert SECRET not in changed.content.decode()
    issued = browser.post(page("usage.client", "do", world.client.pk, "issue-key"), {"scopes": ["use", "secrets"]})
    return world, [SECRET, issued.context["key"], issue_key(world.client, scopes=["use"], actor="user:kim")[0]]


@pytest.mark.slow
def test_no_page_shows_them_to_a_superuser(browser: Browser, planted: tuple[World, list[str]]) -> None:
    _world, secrets = planted
    seen = 0
    for address in ("/admin/", *pages_of_tables()):
        answer = browser.get(address)
        assert answer.status_code in (200, 302, 403, 405), address
        seen += answer.status_code == 200
        assert not [secret for secret in secrets if secret in answer.content.decode()], address
    assert seen > 40


@pytest.mark.slow
def test_no_page_shows_them_to_who_may_look_at_everything(planted: tuple[World, list[str]]) -> None:
    _world, secrets = planted
    every = [f"view_{table._meta.model_name}" for table in admin.site._registry]
    viewer = signed_in(staff("vera", *every))
    for address in ("/admin/", *pages_of_tables()):
        body = viewer.get(address).content.decode()
        assert not [secret for secret in secrets if secret in body], address


def test_they_are_in_no_history_session_job_or_message(browser: Browser, planted: tuple[World, list[str]]) -> None:
    _world, secrets = planted
    kept: list[Any] = [session.get_decoded() for session in Session.objects.all()]
    kept += [serializers.serialize("json", LogEntry.objects.all()), [job.task for job in OrmQ.objects.all()]]
    assert LogEntry.objects.count() == 2
    assert not [secret for secret in secrets for text in kept if secret in str(text)]


def test_a_wrong_encryption_key_breaks_no_page_and_says_so(
    browser: Browser, planted: tuple[World, list[str]], settings: Any
) -> None:
    world, _secrets = planted
    settings.CREDENTIAL_KEYS = ["x6NG2FzcWXH9hJcyLrZp5Qb4wN0oAqVfT1sUu8eKj3Y="]
    assert browser.get(page("models_registry.provider")).status_code == 200
    shown = browser.get(page("models_registry.provider", "change", world.provider.pk))
    assert "enter the key again" in shown.content.decode()
