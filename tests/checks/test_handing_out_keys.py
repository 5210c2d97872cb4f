"""What a lease on a model of an API provider tells its client, with and without the provider's key."""

import logging
from typing import Any

import pytest

from models_registry.models import Provider
from tests.api.calls import Caller, a_caller, done
from tests.api_providers.servers import KEY, SECOND_KEY
from tests.checks.world import ApiWorld
from usage.models import Lease


@pytest.fixture
def up(api: ApiWorld) -> ApiWorld:
    api.add("gpt-mini")
    api.bring_up("gpt-mini")
    return api


@pytest.fixture
def trusted(up: ApiWorld) -> Caller:
    return a_caller("chatbot", "use", "read", "secrets")


@pytest.fixture
def other(up: ApiWorld) -> Caller:
    return a_caller("knowledge", "use")


def lease_of(caller: Caller, **wish: Any) -> dict[str, Any]:
    shown: dict[str, Any] = done(caller.post("leases/", {"model": "gpt-mini", **wish}), 201)
    return shown


def test_it_tells_what_the_openai_client_is_given(up: ApiWorld, other: Caller):
    assert lease_of(other)["connection"] == {
        "kind": "openai",
        "base_url": up.server.base_url,
        "model": "gpt-mini",
        "api_version": "",
    }


def test_clients_are_told_the_client_url(up: ApiWorld, other: Caller):
    Provider.objects.update(client_url="https://gateway.example/v1", api_version="2024-10-21")
    connection = lease_of(other)["connection"]
    assert (connection["base_url"], connection["api_version"]) == ("https://gateway.example/v1", "2024-10-21")


@pytest.mark.parametrize("scopes", [("use",), ("use", "read"), ("manage",)])
def test_without_the_scope_there_is_no_key(up: ApiWorld, scopes: tuple[str, ...]):
    lease = lease_of(a_caller("other", *scopes))
    assert "api_key" not in lease["connection"]
    assert Lease.objects.get().key_hint == ""


class TestWithTheScope:
    def test_the_key_is_in_the_answer_that_grants_it_and_in_no_other(self, up: ApiWorld, trusted: Caller):
        lease = lease_of(trusted)
        assert lease["connection"]["api_key"] == KEY
        answers = [
            trusted.get(f"leases/{lease['id']}/"),
            trusted.get("leases/"),
            trusted.post(f"leases/{lease['id']}/renew/", {}),
            trusted.post(f"leases/{lease['id']}/release/", {}),
        ]
        assert [answer.status_code for answer in answers] == [200] * 4
        assert not any(KEY.encode() in answer.content for answer in answers)

    def test_the_hand_out_is_on_record_and_in_the_log(
        self, up: ApiWorld, trusted: Caller, caplog: pytest.LogCaptureFixture
    ):
        caplog.set_level(logging.INFO)
        lease = lease_of(trusted)
        assert Lease.objects.get(pk=lease["id"]).key_hint == f"…{KEY[-4:]}"
        told = [line.getMessage() for line in caplog.records if line.name == "modelmanager.audit"]
        assert told[-1] == f"key …{KEY[-4:]} of openai handed out to chatbot with lease {lease['id']} on gpt-mini"
        assert KEY not in caplog.text

    def test_it_is_the_key_that_the_provider_takes(self, up: ApiWorld, trusted: Caller):
        Provider.objects.update(api_key_2=SECOND_KEY)
        up.server.keys = {SECOND_KEY}
        up.run_for(301)
        assert lease_of(trusted)["connection"]["api_key"] == SECOND_KEY
        assert Lease.objects.get().key_hint == f"…{SECOND_KEY[-4:]}"

    def test_a_provider_without_a_key_needs_none(self, up: ApiWorld, trusted: Caller):
        Provider.objects.update(api_key="")
        assert lease_of(trusted)["connection"]["api_key"] == ""
        assert Lease.objects.get().key_hint == ""

    def test_a_refused_lease_hands_out_nothing(self, up: ApiWorld, trusted: Caller):
        up.switch_off("gpt-mini")
        response = trusted.post("leases/", {"model": "gpt-mini"})
        assert response.status_code == 409
        assert KEY.encode() not in response.content
        assert not Lease.objects.exists()

    def test_on_a_triton_server_there_is_nothing_to_hand_out(self, world: Any):
        world.add("embedder")
        world.make_ready("embedder")
        Provider.objects.update(api_key="sk-of-a-triton-server")
        lease = done(a_caller("bot", "use", "secrets").post("leases/", {"model": "embedder"}), 201)
        assert set(lease["connection"]) == {"kind", "url", "model_name", "model_version"}
        assert Lease.objects.get().key_hint == ""
