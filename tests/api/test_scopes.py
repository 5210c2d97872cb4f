"""What a key may do: `use` for leases and bindings, `read` for every other GET, `manage` for everything."""

import pytest

from tests.api.calls import a_caller, refused
from tests.api.endpoints import ENDPOINTS, Endpoint, smallest_body
from tests.monitoring.world import World

REPORTING = ("post", "usage/records/")
SCOPES = ("read", "use", "manage", "secrets")


def allowed(endpoint: Endpoint) -> set[str]:
    """The scopes that suffice, as the contract says it."""
    if endpoint.route.startswith(("leases/", "bindings/")) or (endpoint.method, endpoint.route) == REPORTING:
        return {"use", "manage"}
    if endpoint.route.startswith("audit/"):
        return {"manage"}
    return {"read", "manage"} if endpoint.method == "get" else {"manage"}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
@pytest.mark.parametrize("scope", SCOPES)
def test_an_endpoint_serves_the_scopes_it_is_for_and_no_other(
    everything: World, endpoint: Endpoint, scope: str
) -> None:
    response = a_caller("someone", scope).send(endpoint.method, endpoint.path(), smallest_body(endpoint))
    if scope in allowed(endpoint):
        assert response.status_code not in (401, 403), response.content
    else:
        refused(response, 403, "permission_denied")


def test_use_alone_cannot_read_the_registry(world: World) -> None:
    refused(a_caller("someone", "use").get("models/"), 403, "permission_denied")


def test_the_head_of_an_answer_needs_what_the_answer_needs(world: World) -> None:
    assert a_caller("reader", "read").send("head", "models/").status_code == 200
    assert a_caller("reader", "read").send("head", "leases/").status_code == 403
