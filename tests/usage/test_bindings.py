"""A binding is made once, keeps its model from being deleted, and is counted as its rows are."""

from typing import Any

import pytest
from django.db import connection

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid
from models_registry.refusals import ModelInUse
from tests.monitoring.world import World
from usage.models import Binding, Client
from usage.refusals import ModelNotFound
from usage.services.bindings import bind, unbind
from usage.services.clients import delete_client
from usage.services.impact import delete_model, impact


@pytest.fixture
def chat(shared_world: World) -> str:
    return shared_world.add("chat")


def tie(world: World, name: str = "chat", reference: str = "prompt-1", **more: Any) -> tuple[Binding, bool]:
    return bind(name, reference=reference, **{"client_id": world.client.pk, **more})


def counted(world: World, name: str = "chat") -> int:
    """The counter, which must equal the rows."""
    rows = Binding.objects.filter(model__name=name).count()
    assert world.model(name).bindings == rows
    return rows


def test_the_same_client_model_and_reference_are_bound_once(shared_world: World, chat: str) -> None:
    first, is_new = tie(shared_world, note="a")
    again, is_new_again = tie(shared_world, note="b")
    assert (is_new, is_new_again, again.pk, again.note) == (True, False, first.pk, "a")
    assert counted(shared_world) == 1


def test_another_reference_client_or_model_is_another_binding(shared_world: World, chat: str) -> None:
    other = Client.objects.create(name="knowledge")
    shared_world.add("rerank")
    tie(shared_world)
    for more in ({"reference": "prompt-2"}, {"client_id": other.pk}, {"name": "rerank"}):
        assert tie(shared_world, **more)[1]
    assert (counted(shared_world), counted(shared_world, "rerank")) == (3, 1)


def test_nothing_is_bound_to_a_model_that_is_not_there(shared_world: World, chat: str) -> None:
    with pytest.raises(ModelNotFound):
        tie(shared_world, "other")
    shared_world.put(chat, deleted_at=now())
    with pytest.raises(ModelNotFound):
        tie(shared_world)
    assert counted(shared_world) == 0


@pytest.mark.parametrize("wrong", [{"reference": ""}, {"reference": "x" * 201}, {"note": "x" * 501}])
def test_an_invalid_binding_is_refused_and_not_counted(shared_world: World, chat: str, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        tie(shared_world, **wrong)
    assert [error["field"] for error in refused.value.extra["errors"]] == list(wrong)
    assert counted(shared_world) == 0


def test_a_client_that_is_not_there_binds_nothing(shared_world: World, chat: str) -> None:
    with pytest.raises(Invalid):
        tie(shared_world, client_id=shared_world.client.pk + 1)
    delete_client(shared_world.client, actor="user:kim")
    with pytest.raises(Invalid):
        tie(shared_world)
    assert counted(shared_world) == 0


def test_a_bound_model_is_not_deleted_and_says_by_whom(shared_world: World, chat: str) -> None:
    binding, _new = tie(shared_world)
    with pytest.raises(ModelInUse) as refused:
        delete_model(shared_world.model(chat), actor="user:kim")
    told = refused.value.extra["impact"]["bindings"]
    assert told == [{"id": binding.pk, "client": "chatbot", "reference": "prompt-1"}]

    unbind(binding)
    delete_model(shared_world.model(chat), actor="user:kim")
    assert shared_world.model(chat).deleted_at is not None


def test_a_binding_does_not_keep_the_gpu(shared_world: World, chat: str) -> None:
    tie(shared_world)
    shared_world.make_ready(chat)
    shared_world.put(chat, switch_state="off", wanted=False)
    shared_world.settle()
    assert shared_world.resident() == []


def test_unbinding_one_leaves_the_others(shared_world: World, chat: str) -> None:
    bindings = [tie(shared_world, reference=str(number))[0] for number in range(4)]
    unbind(bindings[1])
    unbind(bindings[1])
    assert counted(shared_world) == 3


def test_impact_tells_all_that_deleting_would_break(shared_world: World, chat: str) -> None:
    shared_world.make_ready(chat)
    grant = shared_world.use(chat, instance="pod-1")
    shared_world.done(shared_world.use(chat))
    tie(shared_world)
    told = impact(shared_world.model(chat))
    assert [lease["id"] for lease in told["leases"]] == [grant.lease_id]
    assert (told["leases"][0]["client"], told["leases"][0]["instance"]) == ("chatbot", "pod-1")
    assert (told["open_leases"], told["wanted"], told["observed"]) == (1, True, "ready")
    assert (len(told["bindings"]), told["last_used_at"]) == (1, now())


def test_impact_shows_a_bounded_number(shared_world: World, chat: str) -> None:
    for number in range(105):
        tie(shared_world, reference=str(number))
    assert len(impact(shared_world.model(chat))["bindings"]) == 100


# -- deleting the client


def test_a_deleted_client_leaves_no_binding_and_no_count(shared_world: World, chat: str) -> None:
    shared_world.add("rerank")
    other = Client.objects.create(name="knowledge")
    tie(shared_world)
    tie(shared_world, reference="2")
    tie(shared_world, "rerank")
    tie(shared_world, client_id=other.pk)

    delete_client(shared_world.client, actor="user:kim")

    assert (counted(shared_world), counted(shared_world, "rerank")) == (1, 0)
    assert Binding.objects.get().client == other


def test_a_deleted_clients_leases_run_out_and_are_counted_down(shared_world: World, chat: str) -> None:
    from usage.services.leases import close_expired

    shared_world.make_ready(chat)
    shared_world.use(chat, ttl_s=60)
    delete_client(shared_world.client, actor="user:kim")
    assert shared_world.model(chat).open_leases == 1
    shared_world.advance(60)
    assert close_expired(now()) == 1
    assert shared_world.model(chat).open_leases == 0


def test_a_binding_made_while_the_client_is_deleted_goes_too(
    shared_world: World, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from usage.services import bindings

    shared_world.add("rerank")
    tie(shared_world)
    take_away, seen = bindings.unbind, []

    def while_deleting(binding: Binding) -> None:
        take_away(binding)
        seen.append(binding.pk)
        if len(seen) == 1:
            Binding.objects.create(client=shared_world.client, model=shared_world.model("rerank"), reference="late")
            shared_world.put("rerank", bindings=1)

    monkeypatch.setattr(bindings, "unbind", while_deleting)
    with pytest.MonkeyPatch.context() as once:
        once.setattr("django.db.transaction.set_rollback", lambda _rollback: None)
        delete_client(shared_world.client, actor="user:kim")

    assert (counted(shared_world), counted(shared_world, "rerank"), len(seen)) == (0, 0, 2)


def test_models_are_taken_in_one_order_and_the_client_last(
    shared_world: World, chat: str, django_assert_max_num_queries: Any
) -> None:
    names = [chat, shared_world.add("rerank"), shared_world.add("embed")]
    for name in reversed(names):
        tie(shared_world, name)
    with django_assert_max_num_queries(60) as asked:
        delete_client(shared_world.client, actor="user:kim")
    quote = connection.ops.quote_name
    touched = [q["sql"] for q in asked.captured_queries if q["sql"].startswith("UPDATE")]
    models = [sql for sql in touched if quote("models_registry_registeredmodel") in sql]
    ids = [shared_world.model(name).pk for name in names]
    assert [next(pk for pk in ids if f"= {pk}" in sql.partition("WHERE")[2]) for sql in models] == ids
    assert touched.index(models[-1]) < min(i for i, sql in enumerate(touched) if quote("usage_client") in sql)
