"""A search finds what it is meant to, however it is written, on every database."""

import pytest
from django.test import Client as Browser

from tests.console.pages import page
from tests.monitoring.world import World
from usage.models import Client


@pytest.fixture
def described(world: World) -> Client:
    return Client.objects.create(name="knowledge", description="지식 Base 100% of_it")


@pytest.mark.parametrize("text", ["BASE", "base", "지식", "KnowLedge", "100%", "of_it"])
def test_case_does_not_matter(browser: Browser, described: Client, text: str) -> None:
    assert list(browser.get(page("usage.client"), {"q": text}).context["cl"].result_list) == [described]


@pytest.mark.parametrize("text", ["1%0", "ofxit", "'; DROP TABLE"])
def test_what_was_typed_is_no_pattern(browser: Browser, described: Client, text: str) -> None:
    assert not browser.get(page("usage.client"), {"q": text}).context["cl"].result_list
