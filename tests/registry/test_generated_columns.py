"""The database derives status and the living names itself, so they never disagree with what they come from."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from models_registry.facts import status_of
from models_registry.models import Provider, RegisteredModel
from models_registry.vocabulary import ErrorCode, Observed
from tests.registry.arranging import a_model, a_provider, fresh

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def test_status_is_what_the_rule_says_for_every_combination_of_facts() -> None:
    provider = a_provider()
    facts = list(itertools.product(ErrorCode.values, (0, 1, 7), Observed.values, (False, True), (None, AT)))
    names = ("error_code", "open_leases", "observed", "wanted", "recovered_at")
    rows = [dict(zip(names, values, strict=True)) for values in facts]
    RegisteredModel.objects.bulk_create(
        RegisteredModel(name=f"m{n:04d}", remote_name=f"m{n:04d}", provider=provider, on_gpu=True, **row)
        for n, row in enumerate(rows)
    )

    stored = list(RegisteredModel.objects.order_by("name").values_list("status", flat=True))

    assert stored == [int(status_of(**row)) for row in rows]
    assert len(set(stored)) == 6


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"wanted": True}, "activating"),
        ({"wanted": True, "observed": "ready"}, "active"),
        ({"wanted": True, "observed": "ready", "recovered_at": AT}, "recovered"),
        ({"open_leases": 1}, "in_use"),
        ({"open_leases": 1, "error_code": "not_loaded"}, "error"),
        ({}, "registered"),
    ],
)
def test_status_follows_an_update_that_names_only_its_inputs(change: dict[str, Any], status: str) -> None:
    model = a_model(a_provider())

    RegisteredModel.objects.filter(pk=model.pk).update(**change, updated_at=AT)

    assert fresh(model).status_word == status


def test_status_sorts_in_lifecycle_order() -> None:
    provider = a_provider()
    a_model(provider, "broken", error_code="missing")
    a_model(provider, "used", open_leases=1)
    a_model(provider, "idle")
    a_model(provider, "coming", wanted=True)

    ordered = RegisteredModel.objects.order_by("status", "id").values_list("name", flat=True)

    assert list(ordered) == ["idle", "coming", "used", "broken"]


def test_a_deleted_model_has_no_living_names() -> None:
    model = a_model(a_provider())
    assert (model.live_name, model.live_remote) == ("chat", "chat")

    RegisteredModel.objects.filter(pk=model.pk).update(deleted_at=AT)

    assert (fresh(model).live_name, fresh(model).live_remote) == (None, None)


def test_only_a_model_on_a_gpu_has_a_living_remote_name() -> None:
    assert a_model(a_provider(), on_gpu=False).live_remote is None


def test_a_deleted_provider_has_no_living_name_and_url() -> None:
    provider = a_provider()
    provider.refresh_from_db()
    assert (provider.live_name, provider.live_url) == ("gpu", "127.0.0.1:18000")

    Provider.objects.filter(pk=provider.pk).update(deleted_at=AT)

    provider.refresh_from_db()
    assert (provider.live_name, provider.live_url) == (None, None)


def test_only_a_triton_provider_has_a_living_url() -> None:
    provider = a_provider(kind="openai_compatible")
    provider.refresh_from_db()
    assert provider.live_url is None
