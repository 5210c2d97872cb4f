"""Models of API providers are registered, looked at and verified by the same functions as Triton's."""

from collections.abc import Callable
from typing import Any

import pytest

from modelmanager.lib.refusals import Invalid
from models_registry.models import Provider, RegisteredModel
from models_registry.refusals import ProviderUnreachable
from models_registry.services.looking import catalog, verify_model, verify_remote
from models_registry.services.providers import check_provider
from models_registry.services.registration import register_model, update_model
from monitoring.residents import occupancy
from tests.api_providers.servers import ApiServer, AzureClassic, error

pytestmark = pytest.mark.django_db
ACTOR = "user:kim"


def refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        register_model(actor=ACTOR, **fields)
    return {error["field"]: error["code"] for error in caught.value.extra["errors"]}


def test_one_that_is_offered_is_ready_and_not_switched_on(openai: ApiServer, register: Callable[..., Provider]) -> None:
    model = register_model(actor=ACTOR, name="chat", provider=register(openai), remote_name="chat-large")
    assert (model.on_gpu, model.observed, model.wanted, model.status_word) == (False, "ready", False, "registered")
    assert model.config is not None
    assert [(event.code, event.to_word) for event in model.events.all()] == [("registered", "registered")]


def test_one_that_is_not_offered_is_refused(openai: ApiServer, register: Callable[..., Provider]) -> None:
    provider = register(openai)
    assert refused(name="chat", provider=provider, remote_name="nothing") == {"remote_name": "not_listed"}
    model = register_model(actor=ACTOR, name="chat", provider=provider, remote_name="nothing", verify=False)
    assert model.observed == "unknown"


def test_a_provider_that_does_not_answer_tells_why(openai: ApiServer, register: Callable[..., Provider]) -> None:
    openai.keys = set()
    with pytest.raises(ProviderUnreachable) as caught:
        register_model(actor=ACTOR, name="chat", provider=register(openai), remote_name="chat-large")
    assert caught.value.extra["outcome"] == "credential_invalid"
    assert "refuses to answer" in caught.value.detail


def test_how_long_to_wait_is_the_providers_word(openai: ApiServer, register: Callable[..., Provider]) -> None:
    def limited(request: Any) -> Any:
        answer = error(429, "Slow down.")
        answer.headers["Retry-After"] = "37"
        return answer

    openai.always = limited
    with pytest.raises(ProviderUnreachable) as caught:
        catalog(register(openai))
    assert (caught.value.retry_after_s, caught.value.extra["outcome"]) == (37, "rate_limited")


def test_what_means_something_on_a_gpu_only_is_refused(openai: ApiServer, register: Callable[..., Provider]) -> None:
    fields = {"name": "chat", "provider": register(openai), "remote_name": "chat-large"}
    assert refused(**fields, remote_version="2") == {"remote_version": "not_applicable"}
    assert refused(**fields, gpu_memory_mb=4000) == {"gpu_memory_mb": "not_applicable"}


@pytest.mark.parametrize("remote", ["2024-10-21", "https://x.openai.azure.com/openai", "a b", "a" * 65])
def test_a_deployment_is_named_as_azure_names_it(
    azure: AzureClassic, register: Callable[..., Provider], remote: str
) -> None:
    provider = register(azure)
    assert refused(name="chat", provider=provider, remote_name=remote, verify=False) == {"remote_name": "invalid"}
    assert register_model(actor=ACTOR, name="chat", provider=provider, remote_name="chat-large").pk


def test_two_of_our_models_may_stand_for_one_of_the_provider(
    openai: ApiServer, register: Callable[..., Provider]
) -> None:
    provider = register(openai)
    for name in ("chat", "chat-strict"):
        register_model(actor=ACTOR, name=name, provider=provider, remote_name="chat-large")
    assert RegisteredModel.objects.count() == 2


def test_the_catalog_tells_what_is_registered_as_what(azure: AzureClassic, register: Callable[..., Provider]) -> None:
    provider = register(azure)
    register_model(actor=ACTOR, name="chat", provider=provider, remote_name="chat-large")
    told = [(entry.remote_name, entry.state, entry.registered_as, entry.underlying) for entry in catalog(provider)]
    assert told == [("chat-large", "ready", "chat", "gpt-4o"), ("embed-small", "ready", None, "gpt-4o")]


def test_a_resource_without_a_list_says_so(
    azure: AzureClassic, register: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure, "lists_deployments", False)
    provider = register(azure)
    with pytest.raises(ProviderUnreachable, match="register them by name"):
        catalog(provider)
    assert register_model(actor=ACTOR, name="chat", provider=provider, remote_name="anything").observed == "ready"
    assert check_provider(provider).ok


def test_verifying_says_whether_it_is_offered(openai: ApiServer, register: Callable[..., Provider]) -> None:
    provider = register(openai)
    model = register_model(actor=ACTOR, name="chat", provider=provider, remote_name="chat-large")
    found = verify_model(model)
    assert (found.ready, found.observed, found.detail) == (True, "ready", "The provider offers it.")
    openai.models.remove("chat-large")
    found = verify_model(model)
    assert (found.ready, found.observed, found.detail) == (False, "absent", "The provider does not offer it.")
    assert verify_remote(provider, "embed-small")[1] is True
    assert verify_remote(provider, "chat-large")[1] is False


def test_a_check_tells_the_outcome(openai: ApiServer, register: Callable[..., Provider]) -> None:
    provider = register(openai)
    found = check_provider(provider)
    assert (found.ok, found.outcome, found.detail) == (True, "ok", "It offers 2 models.")
    openai.keys = set()
    found = check_provider(provider)
    assert (found.ok, found.outcome) == (False, "credential_invalid")
    assert openai.billed == []


def test_a_disabled_provider_is_not_asked(openai: ApiServer, register: Callable[..., Provider]) -> None:
    provider = register(openai, enabled=False)
    assert check_provider(provider).ok is False
    for ask in (catalog, occupancy):
        with pytest.raises(ProviderUnreachable):
            ask(provider)
    assert openai.asked == []


def test_nobody_is_on_a_gpu_that_is_not_ours(openai: ApiServer, register: Callable[..., Provider]) -> None:
    now = occupancy(register(openai))
    assert (now.residents, now.queue, now.operation) == ([], [], None)
    assert openai.asked == []


def test_a_model_moves_between_an_api_and_another(
    openai: ApiServer, azure: AzureClassic, register: Callable[..., Provider]
) -> None:
    model = register_model(actor=ACTOR, name="chat", provider=register(openai), remote_name="chat-large")
    moved = update_model(model, {"provider": register(azure, "azure")}, actor=ACTOR)
    assert (moved.provider.name, moved.observed) == ("azure", "unknown")
