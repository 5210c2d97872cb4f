"""An OpenAI-compatible server from elsewhere is asked, registered, checked and called by the `openai` client."""

from typing import Any

import pytest

from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import Outcome
from models_registry.services.importing import Wish, import_models
from models_registry.services.providers import check_provider, create_provider
from models_registry.services.registration import register_model
from tests.api_providers.fixtures import litellm
from tests.api_providers.gateways import failure_of, gateway_to
from tests.api_providers.litellm import ANSWER, KEY, MODELS, LiteLLM
from tests.api_providers.servers import Compatible

__all__ = ["litellm"]

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
ACTOR = "user:kim"


@pytest.fixture
def provider(litellm: LiteLLM) -> Provider:
    fields = {"kind": "openai_compatible", "base_url": litellm.base_url, "api_key": KEY}
    return create_provider(actor=ACTOR, name="litellm", allow_private_network=True, **fields)


def gateway(litellm: LiteLLM, key: str = KEY) -> Any:
    return gateway_to(Compatible().settings(base_url=litellm.base_url, keys=(key,)))


def test_it_tells_what_it_offers(litellm: LiteLLM) -> None:
    asked = gateway(litellm)
    assert [offer.remote_name for offer in asked.offers()] == list(MODELS)
    assert asked.offered("mock-chat") is True
    assert asked.offered("nothing") is False


def test_a_wrong_key_is_refused_in_its_own_words(litellm: LiteLLM) -> None:
    wrong = "sk-wrong-0123456789"
    failure = failure_of(gateway(litellm, wrong).offers)
    # Without a database of its own it cannot look keys up, and says so with 400 where others say 401.
    assert failure.outcome in (Outcome.REFUSED, Outcome.CREDENTIAL_INVALID)
    assert wrong not in failure.message


def test_its_models_are_checked_and_imported(provider: Provider) -> None:
    assert check_provider(provider).ok
    lines = import_models(provider, Wish(), actor=ACTOR)
    assert [(line.name, line.outcome, line.kind) for line in lines] == [
        ("mock-chat", "created", "chat"),
        ("mock-embedding", "created", "embedding"),
    ]
    assert set(RegisteredModel.objects.values_list("observed", flat=True)) == {"ready"}


def test_the_client_library_calls_what_was_registered(provider: Provider) -> None:
    from openai import OpenAI

    model = register_model(actor=ACTOR, name="chat", provider=provider, remote_name="mock-chat")
    client = OpenAI(api_key=KEY, base_url=provider.base_url, max_retries=0)
    messages: Any = [{"role": "user", "content": "A question?"}]
    answer = client.chat.completions.create(model=model.remote_name, messages=messages)
    assert answer.choices[0].message.content == ANSWER
