"""Somebody changes version or provider between reading a model and granting its lease: the lease is all of a piece."""

from collections.abc import Callable
from typing import Any

import pytest

from models_registry.services.configs import create_version
from models_registry.services.providers import update_provider
from tests.api.calls import a_caller, done
from tests.api_providers.servers import KEY, SECOND_KEY
from tests.checks.world import ApiWorld
from tests.monitoring.world import World
from tests.registry.arranging import in_force_at
from usage.models import Lease
from usage.services import acquire as acquiring
from usage.services.acquire import Grant


def before(monkeypatch: pytest.MonkeyPatch, name: str, happening: Callable[[], object]) -> None:
    """Let something happen once, just before a step of the grant."""
    step = getattr(acquiring, name)

    def late(*args: Any) -> Any:
        monkeypatch.setattr(acquiring, name, step)
        happening()
        return step(*args)

    monkeypatch.setattr(acquiring, name, late)


def assert_carries(grant: Grant, number: int) -> None:
    """The answer, the row and the history tell the same version."""
    lease = Lease.objects.get(pk=grant.lease_id)
    told = grant.model.loaded_config or grant.model.config
    history = in_force_at(grant.model, lease.granted_at)
    assert lease.config and told and history
    assert (told.number, lease.config.number, history.number) == (number,) * 3
    assert told.values == lease.config.values


@pytest.mark.parametrize("wait_s", [0, 1])
def test_at_an_api_provider(api: ApiWorld, monkeypatch: pytest.MonkeyPatch, wait_s: int):
    api.add("gpt-mini")
    api.bring_up("gpt-mini")
    values = {"extra": {"team": "a"}}
    apply = lambda: create_version(api.model("gpt-mini"), values, actor="user:kim", apply=True)  # noqa: E731
    before(monkeypatch, "trust", apply)
    assert_carries(api.use("gpt-mini", wait_s=wait_s), 2)
    assert api.model("gpt-mini").open_leases == 1


def test_on_a_triton_server(world: World, monkeypatch: pytest.MonkeyPatch):
    world.add("chat")
    world.bring_up("chat")
    values = {"extra": {"team": "a"}}
    apply = lambda: create_version(world.model("chat"), values, actor="user:kim", apply=True)  # noqa: E731
    before(monkeypatch, "ask", apply)
    assert_carries(world.use("chat"), 2)


def test_a_key_goes_out_only_with_the_address_it_was_entered_for(api: ApiWorld, monkeypatch: pytest.MonkeyPatch):
    api.add("gpt-mini")
    api.bring_up("gpt-mini")
    api.server.keys = {SECOND_KEY}
    elsewhere = {"client_url": "https://gateway.example/v1", "api_key": SECOND_KEY}
    move = lambda: update_provider(api.health(), elsewhere, actor="user:kim")  # noqa: E731
    before(monkeypatch, "key_to_hand_out", move)
    lease = done(a_caller("chatbot2", "use", "secrets").post("leases/", {"model": "gpt-mini"}), 201)
    told = lease["connection"]
    assert (told["base_url"], told["api_key"]) == ("https://gateway.example/v1", SECOND_KEY)
    assert KEY != SECOND_KEY
