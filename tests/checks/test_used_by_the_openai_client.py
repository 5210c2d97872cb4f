"""What a lease returns is what the `openai` client needs, for each kind of provider."""

from collections.abc import Iterator
from typing import Any

import pytest

from models_registry.models import Provider
from models_registry.services.providers import create_provider
from models_registry.services.registration import register_model
from tests.api.calls import a_caller, done
from tests.api_providers.fixtures import litellm
from tests.api_providers.litellm import ANSWER, LiteLLM
from tests.api_providers.litellm import KEY as LITELLM_KEY
from tests.api_providers.servers import KINDS, ApiServer
from tests.checks.world import ApiWorld

__all__ = ["litellm"]

ACTOR = "user:kim"
QUESTION: Any = [{"role": "user", "content": "A question?"}]


@pytest.fixture(params=list(KINDS))
def each(request: pytest.FixtureRequest) -> Iterator[ApiServer]:
    with KINDS[request.param](models=("chat-large",)) as server:
        yield server


def leased(fields: dict[str, Any], remote_name: str) -> dict[str, Any]:
    """The connection of a lease on a model of a new provider, switched on and checked as people would."""
    manager = a_caller("operator", "manage")
    done(manager.post("providers/", {"name": "its", **fields}), 201)
    model = {"name": "chat", "kind": "chat", "provider": "its", "remote_name": remote_name}
    done(manager.post("models/", model), 201)
    assert done(manager.post("models/chat/activate/"), 202)["status"] in ("active", "activating")
    assert done(manager.post("providers/its/check/"))["ok"]
    connection: dict[str, Any] = done(a_caller("bot", "use", "secrets").post("leases/", {"model": "chat"}), 201)[
        "connection"
    ]
    return connection


def client_for(connection: dict[str, Any]) -> Any:
    """The client, made of a connection alone."""
    from openai import AzureOpenAI, OpenAI

    if connection["kind"] == "azure_openai" and connection["api_version"]:
        return AzureOpenAI(
            azure_endpoint=connection["base_url"],
            api_version=connection["api_version"],
            api_key=connection["api_key"],
            max_retries=0,
        )
    return OpenAI(base_url=connection["base_url"], api_key=connection["api_key"], max_retries=0)


@pytest.mark.usefixtures("api")
def test_of_each_kind(each: ApiServer):
    connection = leased(each.fields(), "chat-large")
    assert each.billed == []

    with client_for(connection) as client:
        answer = client.chat.completions.create(model=connection["model"], messages=QUESTION)

    assert answer.choices[0].message.content == "An answer."
    assert len(each.billed) == 1


@pytest.mark.slow
def test_of_a_server_that_nobody_here_wrote(api: ApiWorld, litellm: LiteLLM):
    fields = {"kind": "openai_compatible", "base_url": litellm.base_url, "api_key": LITELLM_KEY}
    connection = leased({**fields, "allow_private_network": True}, "mock-chat")

    with client_for(connection) as client:
        answer = client.chat.completions.create(model=connection["model"], messages=QUESTION)

    assert answer.choices[0].message.content == ANSWER


def test_of_azure_a_withdrawn_deployment_is_not_offered(api: ApiWorld):
    with KINDS["azure classic"](models=("prod-chat",)) as server:
        provider = create_provider(actor=ACTOR, name="azure", **server.fields())
        register_model(actor=ACTOR, name="chat", provider=provider, remote_name="prod-chat")
        api.switch_on("chat")
        api.settle()
        assert api.status("chat") == "active"
        server.models = []
        api.run_for(301)
        assert api.error("chat") == "not_offered"
        assert server.billed == []


def test_of_azure_where_nothing_tells_the_deployments_they_are_taken_to_be_there(api: ApiWorld):
    with KINDS["azure classic"](models=("prod-chat",)) as server:
        server.lists_deployments = False  # type: ignore[attr-defined]
        provider = create_provider(actor=ACTOR, name="azure", **server.fields())
        register_model(actor=ACTOR, name="chat", provider=provider, remote_name="prod-chat")
        api.switch_on("chat")
        api.run_for(301)
        assert (api.status("chat"), Provider.objects.get(name="azure").health_state) == ("active", "ok")
