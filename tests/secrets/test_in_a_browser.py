"""An operator exchanges a provider's key and looks at one, in a real browser; the trail tells it afterwards."""

import os
from pathlib import Path

import pytest

from models_registry.models import Provider
from tests.console.browsing import Watched
from tests.console.pages import page as address
from tests.secrets.arranging import CANARY, CANARY_2, an_api_provider

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PROVIDER = "models_registry.provider"


def look(watched: Watched, name: str) -> None:
    """A picture of the page, where somebody asked for pictures."""
    if folder := os.environ.get("PICTURES"):
        watched.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_a_key_is_exchanged_and_looked_at_and_the_trail_tells_it(watched: Watched) -> None:
    provider, page = an_api_provider(), watched.page
    watched.open(address(PROVIDER, "change", provider.pk))
    look(watched, "provider")
    page.click(".mm-button:has-text('Make the second key the first')")
    page.wait_for_selector("#modal-content [type=submit]", state="visible")
    watched.confirm()
    assert "the second key is now the first" in watched.said()
    assert Provider.objects.get().api_key == CANARY_2

    with page.expect_navigation():
        page.click(".mm-button:has-text('Show a key')")
    look(watched, "reveal-ask")
    with page.expect_navigation():
        page.click("#dialog [type=submit]")
    assert CANARY_2 not in page.content(), "not without a reason"
    page.check("[name=key][value=api_key_2]")
    page.fill("[name=reason]", "moving it to the vault")
    with page.expect_navigation():
        page.click("#dialog [type=submit]")
    assert page.inner_text("#provider-key") == CANARY
    look(watched, "reveal-shown")
    page.click(".mm-button:has-text('Done')")
    page.wait_for_selector(".mm-button:has-text('Show a key')")
    assert CANARY not in page.content()

    watched.open(address(PROVIDER, "history", provider.pk))
    look(watched, "history")
    told = page.inner_text("#main")
    assert "moving it to the vault" in told
    assert "Second key made the first" in told
    watched.open(address("models_registry.auditentry"))
    look(watched, "audit")
    assert "Key shown" in page.inner_text("#result_list")


def test_keys_that_nobody_can_read_ask_to_be_entered_again(watched: Watched, settings: object) -> None:
    provider = an_api_provider()
    settings.CREDENTIAL_KEYS = ["x6NG2FzcWXH9hJcyLrZp5Qb4wN0oAqVfT1sUu8eKj3Y="]  # type: ignore[attr-defined]
    watched.open(address(PROVIDER))
    look(watched, "unreadable-list")
    assert "Enter the key again" in watched.page.inner_text("#result_list")
    watched.open(address(PROVIDER, "change", provider.pk))
    look(watched, "unreadable")
    assert "Enter the key again" in watched.said()
