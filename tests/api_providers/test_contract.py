"""What every kind of API provider does behind the one interface."""

from collections.abc import Iterator

import pytest

from models_registry.providers.errors import Outcome
from models_registry.providers.gateway import Offer
from tests.api_providers.gateways import failure_of, gateway_to
from tests.api_providers.servers import KEY, KINDS, SECOND_KEY, ApiServer


@pytest.fixture(scope="module", params=list(KINDS))
def running(request: pytest.FixtureRequest) -> Iterator[ApiServer]:
    with KINDS[request.param]() as server:
        yield server


@pytest.fixture
def server(running: ApiServer) -> ApiServer:
    return running.as_new()


def names(offers: tuple[Offer, ...] | None) -> list[str]:
    assert offers is not None
    return [offer.remote_name for offer in offers]


def test_it_tells_what_is_offered_by_name(server: ApiServer) -> None:
    assert names(gateway_to(server.settings()).offers()) == ["chat-large", "embed-small"]


def test_it_tells_whether_one_model_is_offered(server: ApiServer) -> None:
    gateway = gateway_to(server.settings())
    assert gateway.offered("embed-small") is True
    assert gateway.offered("gpt-4o") is False  # Azure lists it as a model, and it is no deployment


def test_names_with_slashes_are_names(server: ApiServer) -> None:
    server.models.append("meta/llama:8b")
    gateway = gateway_to(server.settings())
    assert gateway.offered("meta/llama:8b")
    assert not gateway.offered("meta/llama")
    assert not gateway.offered("..")


def test_nothing_that_is_asked_is_billed(server: ApiServer) -> None:
    gateway = gateway_to(server.settings())
    gateway.offers()
    gateway.offered("chat-large")
    gateway.offered("nothing")
    assert server.asked
    assert server.billed == []


def test_a_wrong_key_is_told_from_everything_else(server: ApiServer) -> None:
    failure = failure_of(gateway_to(server.settings(keys=("sk-wrong-0123456789",))).offers)
    assert failure.outcome == Outcome.CREDENTIAL_INVALID
    assert "sk-wrong-0123456789" not in failure.message
    assert [request.key for request in server.asked] == ["sk-wrong-0123456789"]


def test_the_second_key_is_used_only_while_the_first_is_refused(server: ApiServer) -> None:
    gateway = gateway_to(server.settings(keys=(KEY, SECOND_KEY)))
    gateway.offers()
    assert (gateway.key_in_use, {request.key for request in server.asked}) == (1, {KEY})
    server.keys = {SECOND_KEY}
    assert names(gateway.offers()) == ["chat-large", "embed-small"]
    assert gateway.key_in_use == 2
    server.keys = {KEY, SECOND_KEY}
    gateway.offers()
    assert gateway.key_in_use == 1


def test_both_keys_refused_is_one_failure(server: ApiServer) -> None:
    server.keys = set()
    failure = failure_of(lambda: gateway_to(server.settings(keys=(KEY, SECOND_KEY))).offered("chat-large"))
    assert failure.outcome == Outcome.CREDENTIAL_INVALID
    assert [request.key for request in server.asked] == [KEY, SECOND_KEY]


def test_a_key_alone_in_the_second_place_is_used(server: ApiServer) -> None:
    gateway = gateway_to(server.settings(keys=("", KEY)))
    gateway.offers()
    assert gateway.key_in_use == 2


def test_a_closed_gateway_opens_a_new_connection(server: ApiServer) -> None:
    gateway = gateway_to(server.settings())
    gateway.offers()
    gateway.close()
    assert names(gateway.offers()) == ["chat-large", "embed-small"]
