"""A lease that runs out is closed within seconds, also where the watcher had nothing to do and rests."""

from datetime import timedelta

import pytest

from tests.concurrency.arena import DATABASES, empty_stage
from tests.embedded.waiting import wait_for

CLOSED_WITHIN_S = 15.0  # each look starts a process


def a_model() -> None:
    """Of a provider that nobody looks at: nothing but its leases will ever be due."""
    from models_registry.services.providers import create_provider
    from models_registry.services.registration import register_model
    from usage.services.clients import create_client

    place = {"kind": "triton", "base_url": "http://127.0.0.1:9", "allow_private_network": True}
    gpu = create_provider(actor="user:kim", name="gpu", enabled=False, **place)
    register_model(actor="user:kim", name="chat", remote_name="chat", provider=gpu, verify=False)
    create_client("chatbot", actor="user:kim")


def a_lease_of_a_second() -> None:
    """As the moment of use grants it: a row and a counter, and nobody is woken."""
    from modelmanager.lib.clock import now
    from models_registry.models import RegisteredModel
    from usage.models import Client, Lease

    chat, at = RegisteredModel.objects.get(), now()
    RegisteredModel.objects.update(open_leases=1)
    times = {"granted_at": at, "verified_at": at, "expires_at": at + timedelta(seconds=1)}
    Lease.objects.create(client=Client.objects.get(), model=chat, config=chat.config, ttl_s=5, verify_ms=1, **times)


def the_watcher_rests() -> bool:
    """Whether it has been there and is gone, and neither a task nor a schedule would bring it back."""
    from django_q.models import OrmQ, Schedule

    from monitoring.models import Duty

    Schedule.objects.all().delete()
    return Duty.objects.filter(name="watch", held_until=None).exists() and not OrmQ.objects.exists()


def how_it_ended() -> tuple[str, int]:
    from models_registry.models import RegisteredModel
    from usage.models import Lease

    return Lease.objects.get().close_reason, RegisteredModel.objects.get().open_leases


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("database", DATABASES)
def test_a_short_lease_is_closed_though_the_watcher_rests(database: str) -> None:
    with empty_stage(database) as stage, stage.worker():
        stage.run(a_model)
        wait_for(lambda: stage.run(the_watcher_rests), within_s=60, what="a watcher that rests")
        stage.run(a_lease_of_a_second)
        wait_for(lambda: stage.run(how_it_ended) == ("expired", 0), within_s=CLOSED_WITHIN_S, what="its end")
