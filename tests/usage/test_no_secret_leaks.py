"""A provider's key and a client's key are planted; nothing that we tell, log, store or queue repeats them."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django_q.models import OrmQ

from modelmanager.lib.refusals import Refusal
from models_registry import waking
from models_registry.models import Provider, StatusEvent
from models_registry.services import providers, registration, switching
from models_registry.vocabulary import Observed
from tests.monitoring.world import World
from tests.secrets.canaries import everything_stored, everything_told_by
from usage.services import bindings, clients, leases

CANARY = "sk-canary-7f3a9b51c2d8e604"


@pytest.fixture
def key(shared_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> str:
    """A client key of a world whose provider has a key too, where tasks are really queued and all is logged."""
    from django_q.tasks import async_task

    monkeypatch.setattr(waking, "async_task", async_task)
    caplog.set_level(logging.DEBUG)
    Provider.objects.filter(pk=shared_world.provider.pk).update(api_key=CANARY)
    shared_world.provider.refresh_from_db()
    assert shared_world.provider.api_key == CANARY
    return clients.issue_key(shared_world.client, scopes=["read", "use", "manage"], actor="user:kim")[0]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, key: str) -> Iterator[list[str]]:
    """What the test saw; at its end neither secret may be in that, in the log, in a task or in any column."""
    seen: list[str] = []
    yield seen
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    places = {
        "what was told": "\n".join(seen),
        "the log": "\n".join(formatter.format(record) + repr(vars(record)) for record in caplog.get_records("call")),
        "the tasks": "\n".join(f"{row.payload} {row.task}" for row in OrmQ.objects.all()),
        "the events": repr(list(StatusEvent.objects.values())),
        "the database": everything_stored(),
    }
    for place, text in places.items():
        assert text, f"{place} is empty: nothing was looked at"
        for secret in (CANARY, key, key.removeprefix("mm_")):
            assert secret not in text, f"a secret is in {place}"


def refusal(call: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """Everything a refusal could be printed as, with its traceback's chain."""
    with pytest.raises((Refusal, CommandError)) as raised:
        call(*args, **kwargs)
    return everything_told_by(raised.value)


def test_no_service_repeats_a_secret(shared_world: World, told: list[str], key: str) -> None:
    world, provider = shared_world, shared_world.provider
    chat = world.add("chat")
    world.put(chat, observed=Observed.UNLOADED)
    world.fake.add("broken", failure="cannot open model: out of luck")
    model = registration.register_model(actor="user:kim", name="broken", remote_name="broken", provider=provider)

    told.append(repr(providers.check_provider(provider)))
    told.append(refusal(providers.create_provider, actor="user:kim", name="GPU", kind="x", base_url="", api_key=CANARY))
    told.append(
        refusal(
            providers.create_provider,
            actor="user:kim",
            name="gpu",
            kind="triton",
            base_url=provider.base_url,
            api_key=CANARY,
            allow_private_network=True,
        )
    )
    told.append(refusal(providers.update_provider, provider, {"api_key": CANARY, "drain_s": -1}, actor="user:kim"))
    provider.refresh_from_db()
    told.append(refusal(providers.update_provider, provider, {"api_key": CANARY}, actor="user:kim", edition=99))
    told.append(refusal(providers.delete_provider, provider, actor="user:kim"))
    told.append(refusal(registration.register_model, actor="user:kim", name="x", remote_name="y", provider=provider))
    switching.activate(model, actor="user:kim")
    world.run_for(3)
    world.fake.down = True
    told.append(repr(providers.check_provider(provider)))
    told.append(refusal(world.use, "broken"))
    world.run_for(20)
    world.fake.down = False
    switching.deactivate(model, actor="user:kim")
    world.make_ready(chat)
    grant = world.use(chat)
    told.append(repr(grant) + repr(vars(grant.model)) + repr(vars(grant.model.provider)))
    lease = leases.find_lease(grant.lease_id, client_id=None)
    told.append(repr(vars(lease)) + repr(vars(lease.model.provider)) + repr(vars(lease.client)))
    told.append(refusal(registration.delete_model, world.model(chat), actor="user:kim"))
    bindings.bind(chat, client_id=world.client.pk, reference="r")
    world.done(grant)
    told.append(refusal(leases.renew, leases.find_lease(grant.lease_id, client_id=None)))
    told.append(refusal(clients.issue_key, world.client, scopes=[key], actor="user:kim"))
    told.append(refusal(call_command, "create_client", "Bad Name", "--scopes", "use"))
    clients.delete_client(world.client, actor="user:kim")

    assert [event.code for event in StatusEvent.objects.all()]
    assert OrmQ.objects.exists()


def test_no_answer_of_the_api_repeats_a_secret(shared_world: World, told: list[str], key: str) -> None:
    chat = shared_world.add("chat")
    shared_world.make_ready(chat)
    browser = Browser(raise_request_exception=False)

    def call(method: str, path: str, body: Any = None, *, bearer: str = key) -> Any:
        data = body if isinstance(body, str) else json.dumps(body)
        answer = browser.generic(method, path, data, "application/json", headers={"Authorization": f"Bearer {bearer}"})
        told.append(f"{answer.status_code} {answer.headers} {answer.content.decode()}")
        assert answer.status_code < 500, told[-1]
        return answer

    base = "/api/v1"
    for path in ("providers", "models", "leases", "bindings", "operations"):
        assert call("GET", f"{base}/{path}/").status_code == 200
    for path in ("providers/gpu/", "models/chat/", "models/chat/impact/", "models/chat/verify/"):
        assert call("GET", f"{base}/{path}").status_code == 200
    hint = json.loads(call("GET", f"{base}/providers/gpu/").content)["api_key_hint"]
    assert hint == f"…{CANARY[-4:]}"

    for wrong in ({"api_key": [CANARY]}, {"api_key": CANARY, "drain_s": "soon"}):
        call("PATCH", f"{base}/providers/gpu/", wrong)
    assert call("PATCH", f"{base}/providers/gpu/", {"api_key": hint, "drain_s": 5}).status_code == 200
    assert Provider.objects.get().api_key == CANARY
    call("PATCH", f"{base}/providers/gpu/", '{"api_key": "' + CANARY)
    call("POST", f"{base}/providers/", {"name": "gpu", "kind": "triton", "base_url": "x", "api_key": CANARY})
    call("DELETE", f"{base}/providers/gpu/")

    lease = json.loads(call("POST", f"{base}/leases/", {"model": chat}).content)
    call("POST", f"{base}/leases/{lease['id']}/release/", {})
    call("POST", f"{base}/leases/", {"model": "nobody"})
    call("POST", f"{base}/leases/", {"model": chat, "ttl_s": "long"})
    for bearer in (key + "x", "", key[:-1]):
        assert call("GET", f"{base}/models/", bearer=bearer).status_code == 401
    for path in ("/api/schema/", "/api/docs/", "/healthz", "/readyz", "/nowhere"):
        answer = browser.get(path, headers={"Authorization": f"Bearer {key}"})
        told.append(f"{answer.headers} {answer.content.decode()}")


def test_a_canary_that_is_there_would_be_found(shared_world: World, key: str) -> None:
    shared_world.add("chat")
    shared_world.put("chat", error_message=f"refused {CANARY}")
    assert CANARY in everything_stored()
