"""What went wrong is told apart, by real answers of real servers, one table for each outcome."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug import Response

from models_registry.providers.errors import MESSAGE_LIMIT, Outcome, ProviderRefused, ProviderUnavailable
from tests.api_providers.gateways import failure_of, gateway_to
from tests.api_providers.servers import KEY, ApiServer, AzureClassic, Compatible, answer, error

QUOTA = "You exceeded your current quota, please check your plan and billing details."
REGION = "Country, region, or territory not supported"
FIREWALL = "Access denied due to Virtual Network/Firewall rules."
SCOPES = "You have insufficient permissions for this operation. Missing scopes: api.model.read."
PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"

CREDENTIAL_INVALID = {
    "no such key": lambda: error(401, "Incorrect API key provided.", code="invalid_api_key"),
    "no key at all": lambda: error(401, "You didn't provide an API key."),
    "a page instead of words": lambda: answer(401, "<h1>Unauthorized</h1>"),
    "a key that may not list": lambda: error(403, SCOPES),
    "an account that was closed": lambda: error(400, "Deactivated.", code="account_deactivated"),
    "Google's way to say it": lambda: error(400, "API key not valid.", code="API_KEY_INVALID"),
}
RATE_LIMITED = {
    "too many requests": lambda: error(429, "Rate limit reached.", code="rate_limit_exceeded", kind="requests"),
    "nothing left to spend": lambda: error(429, QUOTA, code="insufficient_quota", kind="insufficient_quota"),
    "a gateway's page": lambda: answer(429, "<h1>Too Many Requests</h1>"),
}
PROVIDER_DOWN = {
    "its own fault": lambda: error(500, "The server had an error.", kind="server_error"),
    "overloaded": lambda: error(503, "The engine is currently overloaded.", kind="server_error"),
    "a gateway's page": lambda: answer(502, PAGE),
    "too slow for its gateway": lambda: answer(504, ""),
    "half of an answer": lambda: Response('{"object": "list", "data": [{"id": "ch', content_type="application/json"),
    "a page that is no API": lambda: answer(200, "<html>Welcome to nginx!</html>"),
    "JSON of something else": lambda: answer(200, {"status": "ok"}),
    "nested beyond all reason": lambda: Response("[" * 100_000, content_type="application/json"),
    "a list of nothing known": lambda: answer(200, {"data": "none"}),
    "compressed, unasked": lambda: Response(gzip.compress(b'{"data": []}'), headers={"Content-Encoding": "gzip"}),
    "more than fits": lambda: answer(200, {"data": [{"id": "x" * 9_000_000}]}),
}
REFUSED = {
    "no such address": lambda: error(404, "Invalid URL (GET /v1/models)"),
    "a page for no such address": lambda: answer(404, "<h1>Not Found</h1>"),
    "from this country not": lambda: error(403, REGION, code="unsupported_country_region_territory"),
    "from this network not": lambda: answer(403, {"error": {"code": "AccessDenied", "message": FIREWALL}}),
    "a firewall's page": lambda: answer(403, "<h1>Forbidden</h1>"),
    "no such method": lambda: answer(405, {"detail": "Method Not Allowed"}),
    "moved for ever": lambda: answer(301, "", Location="https://elsewhere.example/v1/models"),
    "moved for now": lambda: answer(307, "", Location="https://elsewhere.example/v1/models"),
}
TABLE = {
    f"{outcome.value}: {case}": (outcome, make)
    for outcome, cases in (
        (Outcome.CREDENTIAL_INVALID, CREDENTIAL_INVALID),
        (Outcome.RATE_LIMITED, RATE_LIMITED),
        (Outcome.PROVIDER_DOWN, PROVIDER_DOWN),
        (Outcome.REFUSED, REFUSED),
    )
    for case, make in cases.items()
}


@pytest.fixture(scope="module")
def running() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture
def server(running: ApiServer) -> ApiServer:
    return running.as_new()


@pytest.mark.parametrize(("outcome", "make"), list(TABLE.values()), ids=list(TABLE))
def test_an_answer_is_told_apart(server: ApiServer, outcome: Outcome, make: Any) -> None:
    server.always = lambda request: make()
    failure = failure_of(gateway_to(server.settings()).offers)
    assert failure.outcome == outcome
    assert isinstance(failure, ProviderUnavailable if outcome == Outcome.PROVIDER_DOWN else ProviderRefused)
    assert failure.message
    assert len(server.asked) == 1  # nothing is tried again behind our back


@pytest.mark.parametrize(
    ("told", "waits"),
    [("20", 20), ("1.4", 1), ("0", 1), ("999999999", 86400), ("soon", None), ("nan", None), ("", None)],
)
def test_how_long_to_wait_is_passed_on(server: ApiServer, told: str, waits: int | None) -> None:
    server.always = lambda request: answer(429, {"error": {"message": "Slow down."}}, Retry_After=told)
    assert failure_of(gateway_to(server.settings()).offers).retry_after_s == waits


def test_how_long_to_wait_may_be_a_date(server: ApiServer) -> None:
    server.always = lambda request: answer(429, {}, Retry_After="Wed, 01 Jan 2020 00:00:00 GMT")
    assert failure_of(gateway_to(server.settings()).offers).retry_after_s == 1


def test_a_deployment_that_azure_does_not_know() -> None:
    with AzureClassic() as server:
        assert gateway_to(server.settings()).offered("nothing") is False


def test_a_resource_that_lists_no_deployments_is_fine_all_the_same() -> None:
    with AzureClassic() as server:
        server.lists_deployments = False
        gateway = gateway_to(server.settings())
        assert gateway.offers() is None
        assert gateway.offered("whatever") is True
        wrong_version = gateway_to(server.settings(api_version="1999-01-01"))
        assert failure_of(wrong_version.offers).outcome == Outcome.REFUSED
        assert failure_of(lambda: wrong_version.offered("whatever")).outcome == Outcome.REFUSED


def test_a_deployment_that_is_not_ready_yet_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with AzureClassic(models=("new",)) as server:
        monkeypatch.setattr(server, "deployment", lambda name: {"id": name, "model": "gpt-4o", "status": "running"})
        offers = gateway_to(server.settings()).offers() or ()
    assert [(offer.remote_name, offer.underlying, offer.reason) for offer in offers] == [("new", "gpt-4o", "running")]


@pytest.mark.parametrize("body", [{"data": None}, {"data": []}, []], ids=str)
def test_offering_nothing_is_no_failure(server: ApiServer, body: Any) -> None:
    server.always = lambda request: answer(200, body)
    assert gateway_to(server.settings()).offers() == ()


def test_rows_that_are_no_models_are_passed_over(server: ApiServer) -> None:
    unstorable = [{"id": "half \ud800"}, {"id": "nul \0"}, {"id": ""}]
    rows = [{"id": "b"}, {"id": 7}, "text", {"name": "x"}, {"id": "a"}, {"id": "a"}, *unstorable]
    server.always = lambda request: answer(200, {"data": rows})
    assert [offer.remote_name for offer in gateway_to(server.settings()).offers() or ()] == ["a", "b"]


def test_what_is_told_of_a_model_can_be_stored(server: ApiServer) -> None:
    rows = [{"id": "a", "model": "half \ud800", "status": "nul \0"}, {"id": "b", "model": "gpt-4o", "status": 7}]
    server.always = lambda request: answer(200, {"data": rows})
    offers = gateway_to(server.settings()).offers() or ()
    assert [(offer.underlying, offer.reason) for offer in offers] == [("", ""), ("gpt-4o", "")]


def test_an_alias_that_is_not_listed_is_looked_up(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "look_up", lambda name: answer(200, {"id": name}))
    assert gateway_to(server.settings()).offered("chat-latest") is True


def test_a_page_for_a_model_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    with Compatible() as server:
        monkeypatch.setattr(server, "look_up", lambda name: answer(200, "<html>Welcome</html>"))
        assert gateway_to(server.settings()).offered("nothing") is False


@pytest.mark.parametrize("status", [500, 501])
def test_a_server_that_falls_over_unknown_names_does_not_know_them(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with Compatible() as server:
        monkeypatch.setattr(server, "look_up", lambda name: error(status, "KeyError"))
        assert gateway_to(server.settings()).offered("nothing") is False


def test_a_server_too_busy_to_look_a_name_up_tells_nothing(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "look_up", lambda name: error(503, "The engine is currently overloaded."))
    failure = failure_of(lambda: gateway_to(server.settings()).offered("chat-latest"))
    assert failure.outcome == Outcome.PROVIDER_DOWN


def test_a_server_without_keys_is_asked_without_one() -> None:
    with Compatible() as server:
        server.keys = {""}
        gateway = gateway_to(server.settings(keys=("", "")))
        assert len(gateway.offers() or ()) == 2
        assert gateway.key_in_use == 0
        assert "Authorization" not in server.asked[0].headers


def test_organization_and_project_are_sent_where_they_are_set(server: ApiServer) -> None:
    gateway_to(server.settings()).offers()
    assert not {"Openai-Organization", "Openai-Project"} & set(server.asked[0].headers)
    gateway_to(server.settings(organization="org-1", project="proj-2")).offers()
    sent = server.asked[1].headers
    assert (sent["Openai-Organization"], sent["Openai-Project"]) == ("org-1", "proj-2")


def test_nothing_of_the_environment_is_taken(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "OPENAI_API_KEY": "sk-of-the-environment",
        "OPENAI_ORG_ID": "org-of-the-environment",
        "OPENAI_BASE_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    gateway_to(server.settings()).offers()
    assert [request.key for request in server.asked] == [KEY]
    assert "of-the-environment" not in json.dumps(dict(server.asked[0].headers))


def test_a_message_is_one_bounded_line_without_keys(server: ApiServer) -> None:
    server.always = lambda request: error(400, f"No {KEY}\n\x00\ud800 and no {KEY[:4]}\N{BULLET}" + f"{KEY} " * 200)
    message = failure_of(gateway_to(server.settings()).offers).message
    assert KEY not in message
    assert message.isprintable()
    assert len(message) <= MESSAGE_LIMIT


def test_a_failure_holds_nothing_that_could_show_a_key(server: ApiServer) -> None:
    server.always = lambda request: error(401, f"{KEY} is wrong")
    failure = failure_of(gateway_to(server.settings()).offers)
    assert (failure.__cause__, failure.__context__) == (None, None)
    assert KEY not in repr(failure.args)
    assert KEY not in repr(server.settings())
