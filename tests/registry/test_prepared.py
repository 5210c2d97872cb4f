"""A prepared query answers with the very rows of the query it was made from, by one statement."""

from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from modelmanager.lib.clock import now
from modelmanager.lib.prepared import Prepared
from models_registry.models import Provider
from tests.monitoring.world import World
from usage import hot_path


@pytest.fixture
def chat(world: World) -> str:
    name = world.add("chat", description="long", tags=["a", "b"], input_price="1.25", gpu_memory_mb=7)
    world.make_ready(name)
    world.put(name, waiting={"for": ["x"], "until": None}, last_used_at=now())
    return name


def same(found: models.Model, row: models.Model) -> None:
    """Every loaded column has the same value and type, the same ones are deferred, and so for the relations."""
    assert (type(found), found.get_deferred_fields()) == (type(row), row.get_deferred_fields())
    for field in row._meta.concrete_fields:
        if field.attname not in row.get_deferred_fields():
            pair = getattr(found, field.attname), getattr(row, field.attname)
            assert pair[0] == pair[1] and type(pair[0]) is type(pair[1]), (field, pair)
    assert found._state.fields_cache.keys() == row._state.fields_cache.keys()
    for name, related in row._state.fields_cache.items():
        if related is None:
            assert found._state.fields_cache[name] is None
        else:
            same(found._state.fields_cache[name], related)


def by_orm(rows: Any, **wished: Any) -> Any:
    """The same query asked by Django itself, with another condition."""
    rows.query.where.children.clear()
    return rows.get(**wished)


def test_a_model_is_as_the_orm_finds_it(chat: str) -> None:
    found = hot_path.find_model(chat)
    assert found is not None
    same(found, by_orm(hot_path.model_query(), live_name=chat))


def test_a_lease_is_as_the_orm_finds_it(world: World, chat: str) -> None:
    lease_id = world.use(chat, instance="한국어 pod-1").lease_id
    found = hot_path.find_lease(lease_id)
    assert found is not None
    same(found, by_orm(hot_path.lease_query(), pk=lease_id))


def test_a_relation_that_is_empty_is_none(world: World, chat: str) -> None:
    found = hot_path.find_model(chat)
    assert found is not None and found.loaded_config is None


def test_a_relation_that_is_set_is_there(world: World, chat: str) -> None:
    world.put(chat, loaded_config_id=world.model(chat).config_id)
    found = hot_path.find_model(chat)
    assert found is not None and found.loaded_config is not None and found.loaded_config.number == 1


def test_one_statement_finds_all_that_answering_needs(world: World, chat: str, django_assert_num_queries: Any) -> None:
    lease_id = world.use(chat).lease_id
    with django_assert_num_queries(1):
        model: Any = hot_path.find_model(chat)
        assert (model.provider.name, model.config.values, model.status_word) == ("gpu", {}, "in_use")
    with django_assert_num_queries(1):
        lease: Any = hot_path.find_lease(lease_id)
        assert (lease.model.provider.kind, lease.client.name, lease.config.number) == ("triton", "chatbot", 1)


def test_what_is_not_there_is_none(world: World, chat: str) -> None:
    assert hot_path.find_model("other") is None
    assert hot_path.find_lease(0) is None
    world.put(chat, deleted_at=now())
    assert hot_path.find_model(chat) is None


def test_it_finds_what_was_written_since(world: World, chat: str) -> None:
    hot_path.find_model(chat)
    world.put(chat, error_code="not_loaded")
    found = hot_path.find_model(chat)
    assert found is not None and found.error_code == "not_loaded"


def test_secrets_are_not_among_what_is_read(world: World, chat: str) -> None:
    found = hot_path.find_model(chat)
    assert found is not None and "api_key" in found.provider.get_deferred_fields()


def test_a_time_is_found_as_it_was_stored(world: World, chat: str) -> None:
    found = hot_path.find_model(chat)
    assert found is not None and found.last_used_at == now() and timezone.is_aware(found.last_used_at)


def test_a_statement_that_binds_more_than_it_is_given_is_refused(db: None) -> None:
    wrong = Prepared(lambda: Provider.objects.filter(name="x", kind="y"), binds=1)
    with pytest.raises(ValueError, match="binds 2 values"):
        wrong.first("gpu")
