"""Whatever a body holds, every endpoint answers with a problem and changes nothing."""

import json
from typing import Any

import pytest

from tests.api.calls import Caller, refused
from tests.api.endpoints import ENDPOINTS, Endpoint, body_schema, resolved, smallest_body, takes_a_list
from tests.api.tables import contents
from tests.monitoring.world import World

TAKING = [endpoint for endpoint in ENDPOINTS if endpoint.method in ("post", "patch", "put")]
LIMIT = 2 * 1024 * 1024

MALFORMED = {
    "nothing but a brace": b"{",
    "no JSON": b"model=embedder",
    "blanks": b"  \n ",
    "NUL": b'{"a": "\\u0000"}',
    "NUL in a name": b'{"\\u0000": 1}',
    "raw NUL": b'{"a": "\x00"}',
    "lone surrogate": b'{"a": "\\ud800"}',
    "surrogate in a name": b'{"\\udfff": 1}',
    "invalid UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "huge integer": b'{"a": ' + b"9" * 30 + b"}",
    "endless integer": b'{"a": ' + b"9" * 10_000 + b"}",
    "huge exponent": b'{"a": 1e999}',
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "forty levels": b'{"a":' * 40 + b"1" + b"}" * 40,
    "two values": b"{} {}",
    "trailing comma": b'{"a": 1,}',
}
NO_OBJECTS = [[], [{}], "text", 5, True, None, 1.5]
ODD_VALUES: list[Any] = [None, True, 0, -1, 1.5, 2**62, "", "text", "x" * 5000, [], [1], {}, {"a": 1}]


@pytest.fixture
def world_before(everything: World, manager: Caller) -> World:
    manager.get("models/")  # notes the use of the key
    return everything


@pytest.mark.parametrize("endpoint", TAKING, ids=str)
def test_a_malformed_body_is_refused_as_such(world_before: World, manager: Caller, endpoint: Endpoint) -> None:
    before = contents()
    for _what, body in MALFORMED.items():
        refused(manager.send(endpoint.method, endpoint.path(), body), 400, "malformed")
    assert contents() == before


@pytest.mark.parametrize("endpoint", TAKING, ids=str)
def test_an_oversized_body_is_refused_as_such(world_before: World, manager: Caller, endpoint: Endpoint) -> None:
    before = contents()
    body = json.dumps({"note": "x" * LIMIT}).encode()
    refused(manager.send(endpoint.method, endpoint.path(), body), 413, "too_large")
    assert contents() == before


@pytest.mark.parametrize("endpoint", TAKING, ids=str)
def test_a_body_that_is_no_object_is_invalid(world_before: World, manager: Caller, endpoint: Endpoint) -> None:
    before = contents()
    for body in NO_OBJECTS:
        if body == [] and takes_a_list(endpoint):
            continue
        refused(manager.send(endpoint.method, endpoint.path(), json.dumps(body).encode()), 400, "invalid")
    assert contents() == before


@pytest.mark.parametrize("endpoint", TAKING, ids=str)
def test_an_unknown_field_is_named(world_before: World, manager: Caller, endpoint: Endpoint) -> None:
    before = contents()
    for name in ("surprise", "__class__", "id", "", "모델", "x" * 1000):
        body = {**(smallest_body(endpoint) or {}), name: 1}
        problem = refused(manager.send(endpoint.method, endpoint.path(), body), 400, "invalid")
        assert {"field": name, "code": "unknown_field"}.items() <= problem["errors"][0].items()
    assert contents() == before


WITH_FIELDS = [endpoint for endpoint in TAKING if body_schema(endpoint)]


def types_of(schema: dict[str, Any]) -> set[str]:
    """The JSON types that a schema allows."""
    parts = [resolved(part) for part in schema.get("oneOf", [])] or [resolved(schema)]
    found = {str(part.get("type", "any" if "enum" not in part else "string")) for part in parts}
    found |= {"number"} if "integer" in found else set()
    return found | ({"null"} if schema.get("nullable") else set())


def type_of(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return "null" if value is None else names[type(value)]


@pytest.mark.parametrize("endpoint", WITH_FIELDS, ids=str)
def test_a_value_of_another_type_is_refused_on_its_field(
    world_before: World, manager: Caller, endpoint: Endpoint
) -> None:
    before = contents()
    for field, schema in (body_schema(endpoint) or {})["properties"].items():
        allowed = types_of(schema)
        for value in ODD_VALUES:
            if type_of(value) in allowed or "any" in allowed or (type_of(value) == "integer" and "number" in allowed):
                continue
            body = {**(smallest_body(endpoint) or {}), field: value}
            response = manager.send(endpoint.method, endpoint.path(), body)
            problem = refused(response, 400, "invalid")
            assert field in {error["field"].partition(".")[0] for error in problem["errors"]}, (field, value, problem)
    assert contents() == before


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", WITH_FIELDS, ids=str)
def test_no_value_of_any_field_is_a_server_s_fault(everything: World, manager: Caller, endpoint: Endpoint) -> None:
    for field in (body_schema(endpoint) or {})["properties"]:
        for value in ODD_VALUES:
            if field == "wait_s" and value:  # nothing moves this world while a call waits
                continue
            response = manager.send(endpoint.method, endpoint.path(), {**(smallest_body(endpoint) or {}), field: value})
            assert response.status_code < 500 or response.json()["code"] == "provider_unreachable", response.content


def test_a_length_that_is_no_number_is_an_empty_body(world_before: World, manager: Caller) -> None:
    response = manager._browser.generic("POST", "/api/v1/leases/", b"{}", "application/json", CONTENT_LENGTH="many")
    refused(response, 400, "invalid")
