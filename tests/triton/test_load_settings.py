"""Load settings on the real server: they change what it tells of a model, and one that fails goes back."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelmanager.lib.clock import now
from models_registry import gateways
from models_registry.models import Provider, RegisteredModel, ServerConfig
from models_registry.services.configs import create_version
from models_registry.services.providers import create_provider
from models_registry.services.registration import register_model
from models_registry.services.switching import activate, deactivate
from models_registry.vocabulary import Observed
from monitoring.reconcile import reconcile
from monitoring.rules.values import Nothing
from tests.triton.real import RealTriton, slow_model
from usage.models import Client, Lease
from usage.refusals import ModelActivating
from usage.services.acquire import Request, acquire
from usage.services.leases import find_lease, release

pytestmark = [pytest.mark.triton, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTriton]:
    with RealTriton(Path(tmp_path_factory.mktemp("triton")), [slow_model("echo", 0.1, 5)]) as server:
        yield server


@pytest.fixture
def echo(triton: RealTriton, monkeypatch: pytest.MonkeyPatch) -> Iterator[RegisteredModel]:
    """A registered, loaded model of that server; unloaded in the end."""
    monkeypatch.setattr("models_registry.waking.async_task", lambda *_task: None)
    address = {"base_url": triton.url, "allow_private_network": True}
    provider = create_provider(actor="user:kim", name="gpu", kind="triton", drain_s=30, **address)
    model = register_model(actor="user:kim", name="echo", remote_name="echo", provider=provider)
    activate(model, actor="user:kim")
    settle(provider)
    yield stored()
    deactivate(stored(), actor="user:kim", force=True)
    settle(provider)
    assert not gateways.triton(provider).is_ready("echo")


def stored() -> RegisteredModel:
    return RegisteredModel.objects.select_related("provider", "config", "loaded_config").get(name="echo")


def settle(provider: Provider) -> None:
    """Look, as the watcher does, until the server is at rest."""
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        found = reconcile(provider.pk)
        if found.answered and found.operation is None and isinstance(found.plan.action, Nothing):
            return
        assert time.monotonic() < give_up_at, f"never at rest: {found}"
        time.sleep(0.05)


def configure(model: RegisteredModel, section: dict[str, Any]) -> None:
    create_version(model, {"triton": section}, actor="user:kim", apply=True)
    settle(model.provider)


def told(model: RegisteredModel) -> dict[str, Any]:
    """What the server says of the model's configuration."""
    config = gateways.triton(model.provider).effective_config("echo")
    assert config is not None
    return config


def test_they_change_what_the_server_tells_of_the_model(echo: RegisteredModel) -> None:
    before = told(echo)
    assert (before["max_batch_size"], before["instance_group"][0]["count"]) == (0, 1)

    configure(
        echo,
        {
            "max_batch_size": 4,
            "instance_group": [{"count": 2, "kind": "KIND_CPU"}],
            "dynamic_batching": {"max_queue_delay_microseconds": 100},
            "parameters": {"load_s": "0.2"},
            "version_policy": {"specific": {"versions": [1]}},
            "config": {"optimization": {"eager_batching": True}},
        },
    )

    after = told(echo)
    assert (after["max_batch_size"], after["instance_group"][0]["count"]) == (4, 2)
    assert after["dynamic_batching"]["max_queue_delay_microseconds"] == 100
    assert after["parameters"] == {**before["parameters"], "load_s": {"string_value": "0.2"}}
    assert after["version_policy"] == {"specific": {"versions": [1]}}
    assert after["optimization"]["eager_batching"] is True
    assert after["input"] == before["input"]
    model = stored()
    assert model.loaded_config == model.config and model.config is not None and model.config.number == 2
    assert ServerConfig.objects.get().differs == []

    create_version(model, {}, actor="user:kim", apply=True)
    settle(model.provider)
    assert told(model) == before


@pytest.mark.parametrize(
    "section",
    [
        {"parameters": {"failure": "no such kernel"}},
        {"config": {"no_such_key_of_triton": 1}},
        {"config": {"backend": "no_such_backend"}},
        {"version_policy": {"specific": {"versions": [7]}}},
    ],
    ids=["fails in the model", "unknown to Triton", "without a backend", "without a version"],
)
def test_settings_that_do_not_load_go_back_to_those_before(echo: RegisteredModel, section: dict[str, Any]) -> None:
    configure(echo, {"max_batch_size": 2})
    configure(echo, section)

    model = stored()
    assert model.config is not None and model.config.number == 2
    assert (model.observed, model.error_code, model.loaded_config) == (Observed.READY, "", model.config)
    assert told(model)["max_batch_size"] == 2
    event = model.events.get(code="config_rolled_back")
    assert event.message


def test_a_lease_holds_its_version_while_the_model_drains(echo: RegisteredModel) -> None:
    client = Client.objects.create(name="chatbot")
    grant = acquire("echo", Request(client_id=client.pk))
    create_version(echo, {"triton": {"max_batch_size": 8}}, actor="user:kim", apply=True)
    for _look in range(5):
        reconcile(echo.provider_id)
    assert told(echo)["max_batch_size"] == 0
    assert Lease.objects.get().config.number == 1
    with pytest.raises(ModelActivating):
        acquire("echo", Request(client_id=client.pk))

    release(find_lease(grant.lease_id, client_id=None))
    started = now()
    settle(echo.provider)

    assert told(echo)["max_batch_size"] == 8
    assert acquire("echo", Request(client_id=client.pk)).model.loaded_config.number == 2  # type: ignore[union-attr]
    assert (now() - started).total_seconds() < 30


def test_a_model_whose_own_configuration_is_not_known_yet_is_loaded_twice(echo: RegisteredModel) -> None:
    ServerConfig.objects.all().delete()
    gateways.triton(echo.provider).post_unload("echo")
    configure(echo, {"max_batch_size": 16})
    model = stored()
    assert told(model)["max_batch_size"] == 16
    assert model.config is not None and model.config.number == 2 and model.loaded_config == model.config
