"""A real Triton that accepts and never answers, beside a healthy one, under the running watcher."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from models_registry.models import ConfigVersion, Provider, RegisteredModel
from models_registry.refusals import ProviderUnreachable
from models_registry.services.switching import activate
from monitoring import tasks as jobs
from monitoring.models import Operation, Outcome
from tests.embedded.waiting import wait_for
from tests.triton.fake import FakeModel, FakeTriton
from tests.triton.fake_server import FakeTritonServer
from tests.triton.proxy import CountingProxy
from tests.triton.real import RealTriton, slow_model
from usage import breaker
from usage.models import Client
from usage.services.acquire import Request, acquire

pytestmark = [pytest.mark.triton, pytest.mark.slow]


@pytest.fixture
def watcher(transactional_db: None, tasks: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The watcher, again and again, as the worker runs it."""
    over = threading.Event()
    monkeypatch.setattr(jobs, "is_stopping", over.is_set)

    def work() -> None:
        try:
            while not over.wait(0.05):
                jobs.watch()
        finally:
            connection.close()

    jobs._threads.cache_clear()
    breaker.forget()
    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join(60)
    jobs._threads().shutdown()
    jobs._threads.cache_clear()
    breaker.forget()


def served(name: str, url: str) -> RegisteredModel:
    """A model on a server of its own."""
    provider = Provider.objects.create(
        name=f"gpu-{name}", kind="triton", base_url=url, server_key=url, allow_private_network=True
    )
    model = RegisteredModel.objects.create(name=name, remote_name=name, provider=provider, on_gpu=True)
    config = ConfigVersion.objects.create(model=model, number=1, values={})
    RegisteredModel.objects.filter(pk=model.pk).update(config=config)
    return model


def status(name: str) -> str:
    return RegisteredModel.objects.get(name=name).status_word


@contextmanager
def frozen(triton: RealTriton) -> Iterator[None]:
    triton.freeze()
    try:
        yield
    finally:
        triton.thaw()


def seconds_to_be_refused(request: Request) -> float:
    started = time.monotonic()
    with pytest.raises(ProviderUnreachable):
        acquire("chat", request)
    return time.monotonic() - started


def test_it_costs_callers_one_time_out_its_neighbour_nothing_and_goes_on_without_a_second_post(
    triton_installation: Any, watcher: None, tmp_path: Path
):
    healthy = FakeTriton([FakeModel("bge", load_s=0.5)], clock=time.monotonic)
    with (
        RealTriton(tmp_path, [slow_model("chat", load_s=2)]) as triton,
        CountingProxy(triton.url) as proxy,
        FakeTritonServer(healthy) as neighbour,
    ):
        chat, bge = served("chat", proxy.url), served("bge", neighbour.url)
        request = Request(client_id=Client.objects.create(name="chatbot").pk)
        activate(chat, actor="user:kim")
        wait_for(lambda: proxy.count("load", "chat"), within_s=20)
        with frozen(triton):
            assert seconds_to_be_refused(request) < 5
            assert seconds_to_be_refused(request) < 0.5  # the circuit is open
            started = time.monotonic()
            activate(bge, actor="user:kim")
            wait_for(lambda: status("bge") == "active", within_s=10)
            assert acquire("bge", request).model.name == "bge"
            assert time.monotonic() - started < 10  # half a second of it is its load
            wait_for(lambda: status("chat") == "error", within_s=60)
        wait_for(lambda: status("chat") in ("active", "recovered"), within_s=60)
        assert proxy.count("load", "chat") == 1
        assert [operation.outcome for operation in Operation.objects.filter(model=chat)] == [Outcome.SUCCEEDED]
        wait_for(lambda: acquire("chat", request).model.name == "chat", within_s=5)
