"""Lists: pages, ordering, search and filters, with a fixed number of queries."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modelmanager.lib.clock import now
from models_registry.auditing import record
from models_registry.in_force import note_applied
from models_registry.models import ConfigVersion, Provider, RegisteredModel, StatusEvent, Window
from models_registry.vocabulary import AuditAction
from monitoring.models import Operation
from tests.api.calls import Caller, done, invalid, refused
from tests.api.endpoints import ENDPOINTS, SCHEMA, Endpoint
from tests.monitoring.world import World
from usage.models import Binding, Lease, UsageRecord


def is_list(endpoint: Endpoint) -> bool:
    parameters = SCHEMA["paths"][endpoint.template]["get"].get("parameters", []) if endpoint.method == "get" else []
    return "page_size" in {parameter["name"] for parameter in parameters}


LISTS = [endpoint for endpoint in ENDPOINTS if is_list(endpoint)]
BY_PAGE = [endpoint for endpoint in LISTS if not endpoint.route.endswith(("history/", "audit/", "records/"))]


def add_rows(world: World, first: int, count: int) -> None:
    """More of everything that is listed."""
    client, provider, model = world.client, world.provider, world.model("embedder")
    config, at = ConfigVersion.objects.get(model=model, number=1), now()
    for n in range(first, first + count):
        another = ConfigVersion.objects.create(model=model, number=n + 2)
        note_applied(model, another.pk, actor="x", at=at)
        Provider.objects.create(name=f"p{n:03}", kind="triton", base_url=f"http://h{n}", server_key=f"h{n}:80/")
        Window.objects.create(name=f"w{n:03}", rules=[{"weekdays": [0], "start": "08:00", "end": "09:00"}])
        world.add(f"m{n:03}")
        record(model, AuditAction.CHANGED, actor="user:kim", changes={"priority": {"from": 0, "to": n}})
        StatusEvent.objects.create(model=model, at=at, from_status=10, to_status=20, code="x", actor="x")
        Binding.objects.create(client=client, model=model, reference=f"r{n}")
        times = {"granted_at": at, "expires_at": at, "verified_at": at}
        Lease.objects.create(client=client, model=model, config=config, ttl_s=60, verify_ms=1, **times)
        done_at = {"started_at": at, "deadline_at": at, "finished_at": at}
        Operation.objects.create(provider=provider, model=model, kind="load", requested_by="x", **done_at)
        call = {"event_id": f"e{n}", "occurred_at": at, "received_at": at, "latency_us": 1000, "outcome": "ok"}
        UsageRecord.objects.create(client=client, model=model, config=config, **call)


@pytest.fixture
def rows(everything: World) -> Iterator[World]:
    add_rows(everything, 0, 1)
    yield everything


def queries_of(caller: Caller, endpoint: Endpoint) -> tuple[int, int]:
    """(queries, rows shown) of one call."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        shown = done(caller.get(endpoint.path(), page_size=500))
    return len(captured), len(shown["results"])


@pytest.mark.parametrize("endpoint", LISTS, ids=str)
def test_a_list_takes_as_many_queries_for_thirty_rows_as_for_one(
    rows: World, manager: Caller, endpoint: Endpoint
) -> None:
    done(manager.get(endpoint.path()))  # notes the use of the key
    few, shown_before = queries_of(manager, endpoint)
    add_rows(rows, 1, 29)
    many, shown = queries_of(manager, endpoint)
    assert shown >= shown_before + 29
    assert many == few <= 6


@pytest.mark.parametrize("endpoint", BY_PAGE, ids=str)
def test_every_list_pages_alike(rows: World, manager: Caller, endpoint: Endpoint) -> None:
    add_rows(rows, 1, 4)
    whole = done(manager.get(endpoint.path()))
    assert set(whole) >= {"count", "next", "previous", "results"}
    assert whole["count"] == len(whole["results"])
    assert (whole["next"], whole["previous"]) == (None, None)
    page, seen = done(manager.get(endpoint.path(), page_size=2)), []
    while True:
        seen += page["results"]
        if page["next"] is None:
            break
        assert page["next"].startswith("http://testserver/api/v1/")
        page = done(manager.get(page["next"].partition("/api/v1/")[2]))
        assert page["previous"]
    assert seen == whole["results"]


@pytest.mark.parametrize("endpoint", LISTS, ids=str)
@pytest.mark.parametrize(
    ("parameter", "value"),
    [("page_size", "0"), ("page_size", "-1"), ("page_size", "many"), ("page_size", "1.5"), ("page_size", "9" * 5000)],
)
def test_a_strange_page_size_is_invalid(
    rows: World, manager: Caller, endpoint: Endpoint, parameter: str, value: str
) -> None:
    invalid(manager.get(endpoint.path(), **{parameter: value}), **{parameter: "invalid"})


@pytest.mark.parametrize("endpoint", BY_PAGE, ids=str)
def test_a_strange_page_is_invalid_and_one_after_the_last_is_not_found(
    rows: World, manager: Caller, endpoint: Endpoint
) -> None:
    for page in ("0", "-1", "last", "1e3", "²", "9" * 5000):
        invalid(manager.get(endpoint.path(), page=page), page="invalid")
    for page in ("99", "9" * 18):
        refused(manager.get(endpoint.path(), page=page), 404, "not_found")


def test_a_page_holds_fifty_and_at_most_five_hundred(everything: World, manager: Caller) -> None:
    model = everything.model("embedder")
    bindings = [Binding(client=everything.client, model=model, reference=str(n)) for n in range(510)]
    Binding.objects.bulk_create(bindings)
    assert len(done(manager.get("bindings/"))["results"]) == 50
    assert len(done(manager.get("bindings/", page_size=1000))["results"]) == 500


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "cD1hYmM=", "cD0lMDA=", "bz05OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "=" * 3, "é"]
)
def test_a_cursor_that_we_did_not_make_is_invalid(everything: World, manager: Caller, cursor: str) -> None:
    response = manager.get("models/embedder/history/", cursor=cursor)
    if response.status_code != 200:  # an offset alone is a cursor, if a strange one
        invalid(response, cursor="invalid")


# -- ordering


@pytest.fixture
def four(world: World) -> World:
    """Four models: two with one status and two with another, used at two times or never."""
    for name in ("d", "a", "c", "b"):
        world.add(name * 2)
    world.put("aa", wanted=True, last_used_at=now())
    world.put("cc", wanted=True, last_used_at=now() - timedelta(hours=1))
    return world


def order(caller: Caller, ordering: str | None = None) -> list[str]:
    query = {} if ordering is None else {"ordering": ordering}
    return [model["name"] for model in done(caller.get("models/", **query))["results"]]


def test_models_are_ordered_by_name_unless_asked_otherwise(four: World, chatbot: Caller) -> None:
    assert order(chatbot) == order(chatbot, "name") == ["aa", "bb", "cc", "dd"]
    assert order(chatbot, "-name") == ["dd", "cc", "bb", "aa"]


def test_ties_are_by_id_in_the_direction_of_the_first_key(four: World, chatbot: Caller) -> None:
    assert order(chatbot, "status") == ["dd", "bb", "aa", "cc"]
    assert order(chatbot, "-status") == ["cc", "aa", "bb", "dd"]
    assert order(chatbot, "created_at") == ["dd", "aa", "cc", "bb"]
    assert order(chatbot, "-created_at") == ["bb", "cc", "aa", "dd"]


def test_models_never_used_are_before_the_others(four: World, chatbot: Caller) -> None:
    assert order(chatbot, "last_used_at") == ["dd", "bb", "cc", "aa"]
    assert order(chatbot, "-last_used_at") == ["aa", "cc", "bb", "dd"]


def test_several_keys_order_within_each_other(four: World, chatbot: Caller) -> None:
    assert order(chatbot, "status,-name") == ["dd", "bb", "cc", "aa"]


@pytest.mark.parametrize("ordering", ["id", "__x", "-", "--name", "name,", "edition", "provider__api_key", "NAME"])
@pytest.mark.parametrize("path", ["models/", "providers/", "windows/"])
def test_an_unknown_ordering_is_invalid(world: World, manager: Caller, path: str, ordering: str) -> None:
    invalid(manager.get(path, ordering=ordering), ordering="invalid_choice")


# -- filters


def found(caller: Caller, **query: Any) -> list[str]:
    return [model["name"] for model in done(caller.get("models/", **query))["results"]]


def test_models_are_filtered(four: World, chatbot: Caller) -> None:
    four.put("aa", kind="chat", tags=["rag", "한국어"])
    four.put("bb", kind="embedding", tags=["RAG", "rag2"])
    assert found(chatbot, status="activating") == ["aa", "cc"]
    assert found(chatbot, status=["activating", "registered"]) == ["aa", "bb", "cc", "dd"]
    assert found(chatbot, status="error") == []
    assert found(chatbot, kind="chat") == ["aa"]
    assert found(chatbot, kind=["chat", "embedding"]) == ["aa", "bb"]
    assert found(chatbot, provider="gpu") == ["aa", "bb", "cc", "dd"]
    assert found(chatbot, provider="other") == []
    assert found(chatbot, tag="rag") == ["aa"]
    assert found(chatbot, tag="한국어") == ["aa"]
    assert found(chatbot, tag="ra") == []
    assert found(chatbot, kind="chat", status="registered") == []


def test_search_finds_parts_of_names_and_texts(four: World, chatbot: Caller) -> None:
    four.put("aa", display_name="임베딩 모델", description="100% recall_rate")
    assert found(chatbot, search="A") == ["aa"]
    assert found(chatbot, search="임베딩") == ["aa"]
    assert found(chatbot, search="100%") == ["aa"]
    assert found(chatbot, search="recall_") == ["aa"]
    assert found(chatbot, search="%") == ["aa"]
    assert found(chatbot, search="") == ["aa", "bb", "cc", "dd"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("models/", {"status": "Active"}),
        ("models/", {"status": ["active", "nonsense"]}),
        ("models/", {"status": "30"}),
        ("models/", {"kind": "video"}),
        ("providers/", {"kind": "other"}),
        ("leases/", {"open": "yes"}),
    ],
    ids=str,
)
def test_an_unknown_choice_is_invalid(world: World, manager: Caller, path: str, query: dict[str, Any]) -> None:
    invalid(manager.get(path, **query), **{next(iter(query)): "invalid_choice"})


def test_providers_are_filtered_by_kind(world: World, manager: Caller) -> None:
    assert done(manager.get("providers/", kind="triton"))["count"] == 1
    assert done(manager.get("providers/", kind="openai"))["count"] == 0
    assert done(manager.get("providers/", search="GP"))["count"] == 1


def test_deleted_rows_are_in_no_list(four: World, manager: Caller) -> None:
    RegisteredModel.objects.filter(name="bb").update(deleted_at=now())
    assert found(manager) == ["aa", "cc", "dd"]
