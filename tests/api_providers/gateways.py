"""Gateways for tests, and what became of a question to one."""

from collections.abc import Callable
from typing import Any

import pytest

from models_registry.providers.api import ApiSettings, AzureGateway, OpenAIGateway
from models_registry.providers.errors import ProviderError

MUST_NOT = "must not be called"
"""What is said of an address that we may not call."""


def gateway_to(settings: ApiSettings) -> OpenAIGateway:
    """A gateway of the test's own."""
    return (AzureGateway if settings.kind == "azure_openai" else OpenAIGateway)(settings)


def failure_of(ask: Callable[[], Any]) -> ProviderError:
    """The failure in which a question ends."""
    with pytest.raises(ProviderError) as caught:
        ask()
    return caught.value
