"""A key is shown to a person with the permission and a reason, once, and that is on record."""

from typing import Any

import pytest
from django.test import Client as Browser

from models_registry.models import AuditEntry, Provider
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.secrets.arranging import CANARY, CANARY_2, OTHER_INSTALLATION, an_api_provider

pytestmark = pytest.mark.django_db
PROVIDER = "models_registry.provider"
WHY = {"key": "api_key", "reason": "moving it to the vault"}


@pytest.fixture
def provider(db: None) -> Provider:
    return an_api_provider()


def reveal(browser: Browser, provider: Provider, **data: str) -> Any:
    return browser.post(page(PROVIDER, "do", provider.pk, "reveal-key"), data)


def test_it_is_shown_in_answer_to_a_post_that_nobody_may_keep(browser: Browser, provider: Provider) -> None:
    shown = reveal(browser, provider, **WHY)
    assert shown.status_code == 200
    assert CANARY in shown.content.decode()
    assert CANARY_2 not in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]
    assert CANARY_2 in reveal(browser, provider, **WHY | {"key": "api_key_2"}).content.decode()


def test_who_saw_which_key_and_why_is_on_record_and_the_key_is_not(browser: Browser, provider: Provider) -> None:
    reveal(browser, provider, **WHY | {"key": "api_key_2"})
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.name) == ("key_revealed", "user:olivia", "cloud")
    assert entry.changes == {"api_key_2": {"secret": "shown"}}
    assert entry.reason == WHY["reason"]


def test_asking_shows_nothing_and_leaves_no_record(browser: Browser, provider: Provider) -> None:
    asked = browser.get(page(PROVIDER, "do", provider.pk, "reveal-key"))
    assert asked.status_code == 200
    assert CANARY not in asked.content.decode()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("data", [{}, {"key": "api_key"}, WHY | {"reason": " . "}, WHY | {"key": "server_key"}])
def test_without_a_reason_or_a_key_it_is_not_shown(browser: Browser, provider: Provider, data: dict[str, str]) -> None:
    asked_again = reveal(browser, provider, **data)
    assert asked_again.status_code == 200
    assert CANARY not in asked_again.content.decode()
    assert not AuditEntry.objects.exists()


def test_changing_providers_does_not_include_seeing_their_keys(provider: Provider) -> None:
    editor = signed_in(staff("ed", "view_provider", "change_provider"))
    assert reveal(editor, provider, **WHY).status_code == 403
    assert "Show a key" not in text_of(editor.get(page(PROVIDER, "change", provider.pk)))
    keeper = signed_in(staff("kim", "view_provider", "reveal_provider_credentials"))
    assert "Show a key" in text_of(keeper.get(page(PROVIDER, "change", provider.pk)))
    assert CANARY in reveal(keeper, provider, **WHY).content.decode()
    assert AuditEntry.objects.get().actor == "user:kim"


def test_a_key_that_nobody_can_read_or_that_is_not_there_is_refused(
    browser: Browser, provider: Provider, settings: Any
) -> None:
    Provider.objects.filter(pk=provider.pk).update(api_key="")
    assert "There is no such key." in text_of(reveal(browser, provider, **WHY))
    settings.CREDENTIAL_KEYS = [OTHER_INSTALLATION]
    assert "enter the key again" in text_of(reveal(browser, provider, **WHY | {"key": "api_key_2"}))
    assert not AuditEntry.objects.exists()


def test_no_client_sees_a_key_of_a_provider(provider: Provider, manager: Any) -> None:
    shown = manager.get("providers/cloud/")
    assert shown.json()["api_key_hint"] == "…abcd"
    assert CANARY not in shown.content.decode()
