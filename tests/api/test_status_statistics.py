"""`/status-statistics/` as a client sees it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modelmanager.lib.clock import now
from models_registry.models import StatusEvent
from models_registry.vocabulary import Status
from tests.api.calls import Caller, done, invalid
from tests.monitoring.world import World
from usage.models import Lease

PATH = "status-statistics/"
WORDS = {status.word for status in Status}


@pytest.fixture
def lived(world: World) -> World:
    """`embedder` was loaded and is, `old` was deleted; a minute each."""
    world.add("embedder")
    world.add("old")
    world.bring_up("embedder")
    world.advance(60)
    world.put("old", deleted_at=now())
    world.advance(60)
    return world


def rows(caller: Caller, **query: Any) -> dict[str, Any]:
    return {row["model"]: row for row in done(caller.get(PATH, **query))["results"]}


def test_an_answer_has_the_members_of_the_contract(lived: World, chatbot: Caller) -> None:
    whole = done(chatbot.get(PATH))
    assert whole["models_per_status"] == dict.fromkeys(WORDS, 0) | {"active": 1}
    assert whole["to"] == now().isoformat().replace("+00:00", "Z")
    told = {row["model"]: row for row in whole["results"]}
    assert set(told) == {"embedder", "old"}
    embedder = told["embedder"]
    assert set(embedder["seconds"]) == WORDS
    assert embedder["seconds"]["active"] == pytest.approx(120, abs=1)
    assert (embedder["errors"], embedder["mean_time_to_recover_s"]) == (0, None)
    assert 0.9 < embedder["availability"] <= 1
    assert (embedder["status"], embedder["deleted_at"]) == ("active", None)
    assert (told["old"]["status"], told["old"]["availability"]) == (None, None)
    assert told["old"]["seconds"]["registered"] == pytest.approx(60, abs=1)


def test_models_are_chosen_by_name(lived: World, chatbot: Caller) -> None:
    assert set(rows(chatbot, model="old")) == {"old"}
    assert set(rows(chatbot, model=["old", "embedder"])) == {"old", "embedder"}
    assert rows(chatbot, model="nothing") == {}


def test_the_future_is_not_told(lived: World, chatbot: Caller) -> None:
    found = rows(chatbot, **{"from": lived.at(-30).isoformat(), "to": lived.at(3600).isoformat()})
    assert sum(found["embedder"]["seconds"].values()) == 30
    invalid(chatbot.get(PATH, **{"from": lived.at(1).isoformat()}), **{"from": "invalid"})


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"from": "yesterday"}, {"from": "invalid"}),
        ({"to": "2026-11-18T00:00:00"}, {"to": "no_offset"}),
        ({"from": "2026-11-18T00:00:00Z", "to": "2026-11-18T00:00:00Z"}, {"from": "invalid"}),
        ({"from": "2020-11-18T00:00:00Z"}, {"from": "invalid"}),
        ({"to": "0001-01-01T00:00:00Z"}, {"from": "invalid"}),
        ({"model": "\0"}, {"model": "invalid"}),
    ],
    ids=str,
)
def test_a_strange_question_is_invalid(lived: World, chatbot: Caller, query: Any, fields: Any) -> None:
    invalid(chatbot.get(PATH, **query), **fields)


def test_statements_do_not_grow_with_models_events_and_leases(lived: World, chatbot: Caller) -> None:
    done(chatbot.get(PATH))  # notes the use of the key
    with CaptureQueriesContext(connection) as few:
        assert len(done(chatbot.get(PATH))["results"]) == 2
    for number in range(30):
        model = lived.model(lived.add(f"m{number}"))
        lease: dict[str, Any] = {"client": lived.client, "config": model.config, "ttl_s": 60, "verify_ms": 1}
        times = {"granted_at": now(), "expires_at": now(), "verified_at": now(), "closed_at": now() + timedelta(1)}
        Lease.objects.create(model=model, **lease, **times)
        for status in (20, 30, 60, 40):
            lived.advance(1)
            StatusEvent.objects.create(model=model, at=now(), from_status=10, to_status=status, code="x", actor="x")
    lived.advance(10)
    with CaptureQueriesContext(connection) as many:
        assert len(done(chatbot.get(PATH))["results"]) == 32
    assert len(many) == len(few) <= 6
