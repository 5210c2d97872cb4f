"""A stored key goes nowhere else than where it was entered for."""

from collections.abc import Callable
from typing import Any

import pytest

from modelmanager.lib.refusals import EditConflict, Invalid
from models_registry.models import Provider
from models_registry.services.providers import update_provider
from tests.api_providers.servers import KEY, SECOND_KEY, ApiServer, Compatible

pytestmark = pytest.mark.django_db
ACTOR = "user:kim"
ELSEWHERE = "https://8.8.8.8/v1"
MOVES: dict[str, dict[str, Any]] = {
    "to another host": {"base_url": ELSEWHERE},
    "of clients to another host": {"client_url": ELSEWHERE},
    "by a proxy": {"proxy_url": "http://8.8.8.8:3128"},
}


def refused(provider: Provider, **changes: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        update_provider(Provider.objects.get(pk=provider.pk), changes, actor=ACTOR)
    return {error["field"]: error["code"] for error in caught.value.extra["errors"]}


@pytest.mark.parametrize("move", list(MOVES.values()), ids=list(MOVES))
def test_a_key_does_not_move_by_itself(
    openai: ApiServer, register: Callable[..., Provider], move: dict[str, Any]
) -> None:
    provider = register(openai)
    assert refused(provider, **move) == {"api_key": "required"}
    assert refused(provider, **move, api_key=provider.api_key_hint) == {"api_key": "required"}
    stored = Provider.objects.get()
    assert (stored.base_url, stored.client_url, stored.proxy_url) == (openai.base_url, "", "")
    moved = update_provider(stored, {**move, "api_key": "sk-of-the-other-0123"}, actor=ACTOR)
    assert moved.api_key == "sk-of-the-other-0123"


def test_other_trust_wants_the_key_again(openai: ApiServer, register: Callable[..., Provider]) -> None:
    import trustme

    pem = trustme.CA().cert_pem.bytes().decode()
    assert refused(register(openai), ca_certificates=pem) == {"api_key": "required"}


def test_each_stored_key_is_asked_for(openai: ApiServer, register: Callable[..., Provider]) -> None:
    provider = register(openai, api_key_2=SECOND_KEY)
    assert refused(provider, base_url=ELSEWHERE) == {"api_key": "required", "api_key_2": "required"}
    assert refused(provider, base_url=ELSEWHERE, api_key="sk-new-0123456789") == {"api_key_2": "required"}
    moved = update_provider(
        provider, {"base_url": ELSEWHERE, "api_key": "sk-new-0123456789", "api_key_2": ""}, actor=ACTOR
    )
    assert (moved.api_key, moved.api_key_2) == ("sk-new-0123456789", "")


def test_the_same_address_in_another_spelling_is_no_move(openai: ApiServer, register: Callable[..., Provider]) -> None:
    provider = register(openai)
    assert update_provider(provider, {"base_url": f" {openai.base_url}/ "}, actor=ACTOR).api_key == KEY


def test_without_a_key_an_address_changes_freely(register: Callable[..., Provider]) -> None:
    with Compatible() as server:
        provider = register(server, api_key="")
        assert update_provider(provider, {"base_url": ELSEWHERE}, actor=ACTOR).base_url == ELSEWHERE


def test_a_key_that_cannot_be_read_does_not_move_either(
    openai: ApiServer, register: Callable[..., Provider], settings: Any
) -> None:
    from cryptography.fernet import Fernet

    provider = register(openai)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert refused(provider, base_url=ELSEWHERE) == {"api_key": "required"}


def test_a_key_that_was_stored_meanwhile_is_not_taken_along(
    openai: ApiServer, register: Callable[..., Provider]
) -> None:
    with Compatible() as server:
        provider = register(server, api_key="")
        seen_before = Provider.objects.get(pk=provider.pk)
        update_provider(provider, {"api_key": KEY}, actor=ACTOR)
        with pytest.raises(EditConflict):
            update_provider(seen_before, {"base_url": openai.base_url}, actor=ACTOR)
    assert Provider.objects.get().base_url == server.base_url


def test_a_key_entered_for_one_address_does_not_follow_a_move_that_was_first(
    openai: ApiServer, register: Callable[..., Provider]
) -> None:
    provider = register(openai)
    seen_before = Provider.objects.get(pk=provider.pk)
    update_provider(provider, {"base_url": ELSEWHERE, "api_key": "sk-of-the-other-0123"}, actor=ACTOR)
    with pytest.raises(EditConflict):
        update_provider(seen_before, {"api_key_2": SECOND_KEY}, actor=ACTOR)
    stored = Provider.objects.get()
    assert (stored.base_url, stored.api_key_2) == (ELSEWHERE, "")
