"""Whatever stands in an address or its query, every endpoint answers, and a problem where it must."""

from typing import Any

import pytest

from tests.api.calls import PROBLEM, Caller, refused
from tests.api.endpoints import ENDPOINTS, Endpoint, smallest_body
from tests.api.tables import contents
from tests.monitoring.world import World

NAMES = ["nothing", "%00", "%2e%2e", "..", "a%2fb", "GPU", "embedder%20", "n" * 500, "%ED%A0%80", "İ", "%F0%9F%98%80"]
IDS = ["0", "999999999999999999", "9" * 30, "-1", "1.5", "x", "%00", "１", "0x1", "1e3", "+1"]
TEXTS = ["\0", "x" * 201, "x" * 5000, "\U0001f600", "'; DROP TABLE x; --", "%", "_", "\\", "é", "../..", "null", "-1"]
QUERIES = {
    "page": ["0", "-1", "abc", "1.5", "9" * 30, "\0"],
    "page_size": ["0", "-1", "abc", "9" * 30],
    "ordering": ["__x", "-", ",", "\0", "name__x"],
    "search": TEXTS,
    "status": TEXTS,
    "kind": TEXTS,
    "tag": TEXTS,
    "provider": TEXTS,
    "model": TEXTS,
    "client": TEXTS,
    "open": TEXTS,
    "format": ["xml", "\0"],
    "at": ["now", "0", "9" * 30, "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
    "cursor": ["x", "\0", "cD1hYmM=", "cj0xJnA9YWJj", "bz05OTk=", "=", "é"],
    "unknown": ["x"],
}

NAMED = [endpoint for endpoint in ENDPOINTS if "name" in endpoint.parameters]
NUMBERED = [endpoint for endpoint in ENDPOINTS if set(endpoint.parameters) - {"name"}]
READING = [endpoint for endpoint in ENDPOINTS if endpoint.method == "get"]


@pytest.mark.parametrize("endpoint", NAMED, ids=str)
def test_a_name_that_nothing_has_is_not_found(everything: World, manager: Caller, endpoint: Endpoint) -> None:
    manager.get("models/")
    before = contents()
    for name in NAMES:
        response = manager.send(endpoint.method, endpoint.path(name=name), smallest_body(endpoint))
        refused(response, 404, "not_found")
    assert contents() == before


@pytest.mark.parametrize("endpoint", NUMBERED, ids=str)
def test_an_id_that_nothing_has_is_not_found(everything: World, manager: Caller, endpoint: Endpoint) -> None:
    manager.get("models/")
    before = contents()
    numbers = set(endpoint.parameters) - {"name"}
    for id_ in IDS:
        path = endpoint.path(**dict.fromkeys(numbers, id_))
        refused(manager.send(endpoint.method, path, smallest_body(endpoint)), 404, "not_found")
    assert contents() == before


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", READING, ids=str)
def test_no_query_is_a_server_s_fault(everything: World, manager: Caller, endpoint: Endpoint) -> None:
    manager.get("models/")
    before = contents()
    for parameter, values in QUERIES.items():
        for value in values:
            _answered(manager.get(endpoint.path(), **{parameter: value}))
            _answered(manager.get(endpoint.path(), **{parameter: [value, value, "x"]}))
    raw = [f"{parameter}=%ff%fe" for parameter in QUERIES] + ["&&==&", "%00=%00", "page=%E2%80%8B1"]
    for query in raw:
        _answered(manager.get(f"{endpoint.path()}?{query}"))
    assert contents() == before


def _answered(response: Any) -> None:
    if response.status_code != 200:
        assert response["Content-Type"] == PROBLEM
        assert (response.status_code, response.json()["code"]) in ((400, "invalid"), (404, "not_found")), (
            response.content
        )


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_options_answer_with_what_an_address_has(everything: World, manager: Caller, endpoint: Endpoint) -> None:
    response = manager.send("options", endpoint.path())
    assert response.status_code == 200
    assert endpoint.method.upper() in response["Allow"]
