"""Servers of API providers, and providers that are registered for them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from django.utils import translation

from models_registry import waking
from models_registry.models import Provider
from models_registry.services.providers import create_provider
from tests.api_providers.servers import ApiServer, AzureClassic

ACTOR = "user:kim"


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """What is told in words is told in English."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """No task is enqueued."""
    monkeypatch.setattr(waking, "async_task", lambda name: None)


@pytest.fixture(scope="module")
def running_openai() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture
def openai(running_openai: ApiServer) -> ApiServer:
    """A server that behaves as OpenAI does."""
    return running_openai.as_new()


@pytest.fixture(scope="module")
def running_azure() -> Iterator[AzureClassic]:
    with AzureClassic() as server:
        yield server


@pytest.fixture
def azure(running_azure: AzureClassic) -> AzureClassic:
    """A server that behaves as an Azure OpenAI resource does."""
    return running_azure.as_new()


@pytest.fixture
def register() -> Callable[..., Provider]:
    """Registers a provider for a server."""

    def make(server: ApiServer, name: str = "api", **fields: Any) -> Provider:
        return create_provider(actor=ACTOR, name=name, **server.fields(**fields))

    return make


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """A CA that no operating system knows."""
    return trustme.CA()
