"""The database itself refuses what must not be twice, whatever code wrote it; deleted rows stand in nobody's way."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DataError, IntegrityError, transaction

from models_registry.models import ConfigVersion, Provider, RegisteredModel
from tests.registry.arranging import a_model, a_provider

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def refused(write: Callable[[], Any]) -> bool:
    try:
        with transaction.atomic():
            write()
    except (IntegrityError, DataError):
        return True
    return False


def test_two_living_models_of_one_name() -> None:
    a_model(a_provider(), "chat")
    assert refused(lambda: a_model(a_provider("gpu2", port=18001), "chat", remote_name="other"))


def test_two_living_models_for_one_object_of_a_gpu() -> None:
    provider = a_provider()
    a_model(provider, "chat")
    assert refused(lambda: a_model(provider, "chat2", remote_name="chat"))


def test_one_remote_name_on_two_servers_is_two_objects() -> None:
    a_model(a_provider(), "chat")
    assert not refused(lambda: a_model(a_provider("gpu2", port=18001), "chat2", remote_name="chat"))


def test_an_api_provider_may_serve_one_remote_model_under_two_names() -> None:
    provider = a_provider(kind="openai_compatible")
    a_model(provider, "chat", on_gpu=False)
    assert not refused(lambda: a_model(provider, "chat2", remote_name="chat", on_gpu=False))


def test_a_deleted_model_frees_its_names() -> None:
    provider = a_provider()
    for _time in range(3):
        model = a_model(provider, "chat")
        RegisteredModel.objects.filter(pk=model.pk).update(deleted_at=AT)
    assert not refused(lambda: a_model(provider, "chat"))


def test_bringing_a_model_back_onto_a_taken_name() -> None:
    provider = a_provider()
    gone = a_model(provider, "chat")
    RegisteredModel.objects.filter(pk=gone.pk).update(deleted_at=AT)
    a_model(provider, "chat", remote_name="other")
    assert refused(lambda: RegisteredModel.all_objects.filter(pk=gone.pk).update(deleted_at=None))


def test_two_living_providers_of_one_name() -> None:
    a_provider()
    assert refused(lambda: a_provider(port=18001))


def test_two_hands_on_one_triton() -> None:
    a_provider()
    assert refused(lambda: a_provider("gpu2"))


def test_two_endpoints_of_an_api_at_one_url() -> None:
    a_provider(kind="openai_compatible")
    assert not refused(lambda: a_provider("second", kind="openai_compatible"))


def test_a_deleted_provider_frees_its_name_and_url() -> None:
    Provider.objects.filter(pk=a_provider().pk).update(deleted_at=AT)
    assert not refused(a_provider)


def test_two_config_versions_of_one_number() -> None:
    model = a_model(a_provider())
    ConfigVersion.objects.create(model=model, number=1)
    assert refused(lambda: ConfigVersion.objects.create(model=model, number=1))


@pytest.mark.parametrize("counter", ["open_leases", "bindings"])
def test_a_counter_below_zero(counter: str) -> None:
    model = a_model(a_provider())
    assert refused(lambda: RegisteredModel.objects.filter(pk=model.pk).update(**{counter: -1}))
