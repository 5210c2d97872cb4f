"""Every error below /api/ is a problem document with a stable code, in the caller's language."""

from typing import Any

import pytest
from django.test import Client as Browser

from tests.api.calls import PROBLEM, Caller, a_caller, done, refused
from tests.api.endpoints import ENDPOINTS, METHODS, Endpoint
from tests.monitoring.world import World


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing/", "/api/v1/", "/api/nothing", "/api/v2/models/", "/api/v1/leases/x/", "/api/v1/%00/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_not_found(db: None, path: str, method: str) -> None:
    response = Browser().generic(method, path)
    refused(response, 404, "not_found")


@pytest.mark.parametrize("route", sorted({endpoint.route for endpoint in ENDPOINTS}))
def test_a_method_that_an_address_has_not_is_refused(everything: World, manager: Caller, route: str) -> None:
    served = [endpoint for endpoint in ENDPOINTS if endpoint.route == route]
    for method in set(METHODS) - {endpoint.method for endpoint in served}:
        response = manager.send(method, served[0].path(), {})
        refused(response, 405, "method_not_allowed")
        assert {endpoint.method.upper() for endpoint in served} <= set(response["Allow"].split(", "))


def with_body() -> list[Endpoint]:
    return [endpoint for endpoint in ENDPOINTS if endpoint.method in ("post", "patch", "put")]


@pytest.mark.parametrize("endpoint", with_body(), ids=str)
@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", "application/xml", "x"])
def test_a_body_that_is_no_json_is_refused(
    everything: World, manager: Caller, endpoint: Endpoint, media_type: str
) -> None:
    response = manager.send(endpoint.method, endpoint.path(), b"model=embedder", as_=media_type)
    refused(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("accept", ["application/json", PROBLEM, "text/html", "*/*", "application/xml", "nonsense"])
def test_answers_are_json_whatever_is_accepted(manager: Caller, accept: str) -> None:
    done(manager.get("models/", headers={"Accept": accept}))
    refused(manager.get("models/nothing/", headers={"Accept": accept}), 404, "not_found")


def test_texts_follow_the_caller_s_language_and_codes_do_not(manager: Caller) -> None:
    def told(language: str) -> dict[str, Any]:
        caller = Caller(manager.key, language=language)
        response = caller.post("models/", {"name": "e5", "provider": "gpu", "remote_name": "e5", "priority": "high"})
        assert response["Content-Language"] == language
        return refused(response, 400, "invalid")

    english, korean = told("en"), told("ko")
    assert english["errors"][0]["code"] == korean["errors"][0]["code"] == "invalid"
    assert english["errors"][0]["detail"] != korean["errors"][0]["detail"]


def test_an_address_without_its_slash_redirects_a_get_and_loses_no_post(manager: Caller) -> None:
    assert manager.get("models").status_code == 301
    assert manager.get("models", page_size=3)["Location"] == "/api/v1/models/?page_size=3"
    refused(manager.post("models", {"name": "e5"}), 404, "not_found")


def test_a_foreign_host_is_a_malformed_request(db: None) -> None:
    refused(Browser().get("/api/v1/models/", headers={"host": "evil.example"}), 400, "malformed")


def test_a_server_s_fault_tells_nothing_of_itself(manager: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("models_registry.api.models.Models.page", broken)
    manager._browser.raise_request_exception = False
    problem = refused(manager.get("models/"), 500, "internal_error")
    assert "secret" not in str(problem)


def test_pages_outside_the_api_are_no_problem_documents(db: None) -> None:
    assert Browser().get("/nothing")["Content-Type"].startswith("text/html")


def test_a_reader_without_a_scope_is_told_so(db: None) -> None:
    refused(a_caller("reader", "read").post("models/", {}), 403, "permission_denied")
