"""Registering, changing and checking providers."""

import socket
from typing import Any

import pytest
from django.db import IntegrityError

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import EditConflict, Invalid
from models_registry import addresses
from models_registry.models import Provider
from models_registry.refusals import UrlTaken
from models_registry.services.providers import check_provider, create_provider, record_health, update_provider
from tests.monitoring.world import World
from tests.registry.arranging import a_provider

ACTOR = "user:kim"


def create(**fields: Any) -> Provider:
    values = {"name": "gpu2", "kind": "triton", "base_url": "http://127.0.0.1:18001", "allow_private_network": True}
    return create_provider(actor=ACTOR, **(values | fields))


def wrong_fields(**fields: Any) -> set[str]:
    with pytest.raises(Invalid) as refused:
        create(**fields)
    return {error["field"] for error in refused.value.extra["errors"]}


def test_a_provider_is_stored_as_typed_but_for_what_means_nothing(world: World) -> None:
    provider = create(base_url=" http://LocalHost:18001/ ")
    assert (provider.base_url, provider.server_key) == ("http://LocalHost:18001", "127.0.0.1:18001")
    assert (provider.health_state, provider.enabled, provider.max_loaded_models) == ("unknown", True, 1)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "GPU"}, {"name"}),
        ({"kind": "nonsense"}, {"kind"}),
        ({"base_url": ""}, {"base_url"}),
        ({"base_url": "gpu:8000"}, {"base_url"}),
        ({"base_url": "http://169.254.169.254"}, {"base_url"}),
        ({"allow_private_network": False}, {"base_url"}),
        ({"metrics_url": "http://169.254.169.254/metrics"}, {"metrics_url"}),
        ({"metrics_url": "http://user:pass@127.0.0.1/metrics"}, {"metrics_url"}),
        ({"client_url": "http://169.254.169.254"}, {"client_url"}),
        ({"max_loaded_models": 0}, {"max_loaded_models"}),
        ({"max_loaded_models": None}, {"max_loaded_models"}),
        ({"drain_s": 86401}, {"drain_s"}),
        ({"gpu_memory_mb": -5}, {"gpu_memory_mb"}),
        ({"name": "gpu"}, {"name"}),
        ({"base_url": "http://localhost:18000"}, {"base_url"}),
    ],
)
def test_each_wrong_field_is_named(world: World, fields: dict[str, Any], wrong: set[str]) -> None:
    assert wrong_fields(**fields) == wrong
    assert Provider.objects.count() == 1


def test_clients_may_be_told_a_private_address_that_we_never_call(world: World) -> None:
    fields = {"base_url": "http://8.8.8.8", "allow_private_network": False, "client_url": "http://10.0.0.5:8000"}
    assert create(**fields).client_url == "http://10.0.0.5:8000"


def test_memory_alone_may_say_how_much_fits(world: World) -> None:
    assert create(max_loaded_models=None, gpu_memory_mb=8000).max_loaded_models is None


def test_a_server_registered_at_the_same_moment(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Provider, "validate_constraints", lambda self, **_: None)
    with pytest.raises(Invalid) as refused:
        create(base_url="http://localhost:18000")
    assert isinstance(refused.value.__cause__, IntegrityError)


def test_an_edit_moves_the_address_in_both_spellings(world: World) -> None:
    provider = update_provider(world.provider, {"base_url": "http://localhost:18009/"}, actor=ACTOR)
    assert (provider.base_url, provider.server_key) == ("http://localhost:18009", "127.0.0.1:18009")


def test_what_people_do_not_edit_is_ignored(world: World) -> None:
    changes = {"name": "other", "kind": "openai", "deleted_at": now(), "server_key": "x", "drain_s": 7}
    provider = update_provider(world.provider, changes, actor=ACTOR)
    assert (provider.name, provider.kind, provider.deleted_at, provider.drain_s) == ("gpu", "triton", None, 7)


def test_an_edit_of_something_else_does_not_move_the_address_back(world: World) -> None:
    read_before = Provider.objects.get()
    update_provider(world.provider, {"base_url": "http://127.0.0.1:18009"}, actor=ACTOR)
    provider = update_provider(read_before, {"drain_s": 7}, actor=ACTOR)
    assert (provider.base_url, provider.server_key) == ("http://127.0.0.1:18009", "127.0.0.1:18009")


def test_a_stale_edition_is_refused(world: World) -> None:
    update_provider(world.provider, {"drain_s": 5}, actor=ACTOR, edition=1)
    with pytest.raises(EditConflict):
        update_provider(world.provider, {"drain_s": 6}, actor=ACTOR, edition=1)
    assert Provider.objects.get().drain_s == 5


def test_moving_onto_another_providers_server(world: World) -> None:
    other = a_provider("gpu2", port=18001)
    with pytest.raises(Invalid):
        update_provider(other, {"base_url": "http://localhost:18000"}, actor=ACTOR)


def test_moving_onto_a_server_taken_at_the_same_moment(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = a_provider("gpu2", port=18001)
    monkeypatch.setattr(Provider, "validate_constraints", lambda self, **_: None)
    with pytest.raises(UrlTaken):
        update_provider(other, {"base_url": "http://localhost:18000"}, actor=ACTOR)


def test_an_edit_spoils_no_alarm_and_no_health(world: World) -> None:
    read_before = Provider.objects.get(pk=world.provider.pk)
    record_health(world.provider, error="silent", at=now())
    Provider.objects.filter(pk=world.provider.pk).update(wake_at=world.at(9))
    provider = update_provider(read_before, {"drain_s": 5}, actor=ACTOR)
    assert (provider.health_error, provider.consecutive_failures, provider.wake_at) == ("silent", 1, world.at(9))


def test_a_check_tells_how_the_server_is_and_stores_nothing(world: World) -> None:
    found = check_provider(world.provider)
    assert (found.ok, found.server_version) == (True, "2.51.0")
    world.fake.down = True
    found = check_provider(world.provider)
    assert (found.ok, found.detail) == (False, "connection refused")
    assert Provider.objects.get().checked_at is None


def test_health_counts_misses_in_a_row(world: World) -> None:
    for _miss in range(3):
        record_health(world.provider, error="silent" * 200, at=now())
    stored = Provider.objects.get()
    assert (stored.consecutive_failures, stored.health_state, len(stored.health_error)) == (3, "failing", 500)
    record_health(world.provider, error="", at=now())
    stored = Provider.objects.get()
    assert (stored.consecutive_failures, stored.health_state, stored.health_error) == (0, "ok", "")


class TestAProviderWhoseNameLeadsElsewhereNow:
    """Its name was public when it was registered, and stands for a private address since."""

    @pytest.fixture
    def turned(self, db: None, monkeypatch: pytest.MonkeyPatch) -> Provider:
        leads_to(monkeypatch, "8.8.8.8")
        url = "https://models.example/v1"
        fields = {"kind": "openai_compatible", "base_url": url, "api_key": "sk-good-0123456789"}
        provider = create_provider(name="cloud", actor=ACTOR, **fields)
        leads_to(monkeypatch, "10.0.0.5")
        return provider

    def test_it_can_be_disabled_all_the_same(self, turned: Provider) -> None:
        assert not update_provider(turned, {"enabled": False}, actor=ACTOR).enabled

    def test_any_other_edit_tells_it(self, turned: Provider) -> None:
        with pytest.raises(Invalid) as refused:
            update_provider(turned, {"enabled": False, "drain_s": 5}, actor=ACTOR)
        assert [error["field"] for error in refused.value.extra["errors"]] == ["base_url"]


def leads_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Let every name stand for this address."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_args, **_more: found)
