"""What the schema promises and what is answered agree, for requests made up from the schema itself."""

import functools
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi import checks

from tests.api.calls import PROBLEM, Caller
from tests.api.endpoints import ENDPOINTS, Endpoint
from tests.monitoring.world import World

load_all_checks()
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = settings(
    max_examples=6, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A request ends by closing connections that hold a transaction; here it is the test's own."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@functools.cache
def described() -> Any:
    """The schema as it is served, over the application in this process."""
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_every_answer_is_as_described(
    everything: World, manager: Caller, endpoint: Endpoint, mode: GenerationMode
) -> None:
    operation = described()[endpoint.template][endpoint.method.upper()]
    there = _parameters(endpoint)

    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        for parameters in (case.path_parameters, there):  # somewhere, and where something is
            case.path_parameters = parameters
            _ask(case, manager)

    ask()


def _parameters(endpoint: Endpoint) -> dict[str, Any]:
    parts = zip(endpoint.route.split("/"), endpoint.path().split("/"), strict=True)
    return {part.strip("<>").partition(":")[2]: value for part, value in parts if part.startswith("<")}


def _ask(case: Any, caller: Caller) -> None:
    with transaction.atomic():
        response = case.call(headers={"Authorization": f"Bearer {caller.key}", "Accept-Language": "en"})
        transaction.set_rollback(True)  # the next request finds the same world
    assert response.status_code != 500
    if response.status_code >= 400:
        assert response.headers["content-type"] == [PROBLEM]
    case.validate_response(response, checks=CHECKS)
