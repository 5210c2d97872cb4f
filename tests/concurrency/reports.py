"""What the processes of the tests of usage do; see `tests.concurrency.deeds`."""

import random
from collections.abc import Callable
from typing import Any

ACTOR = "user:kim"
NAMES = ("embedder", "reranker", "chat")


def arrange() -> None:
    """Models that nobody asks about, and two clients."""
    from models_registry.services.providers import create_provider
    from models_registry.services.registration import register_model
    from usage.services.clients import create_client

    place = {"name": "gpu", "kind": "triton", "base_url": "http://127.0.0.1:9", "allow_private_network": True}
    provider = create_provider(actor=ACTOR, **place)
    for name in NAMES:
        register_model(actor=ACTOR, verify=False, name=name, remote_name=name, provider=provider)
    for name in ("chatbot", "knowledge"):
        create_client(name, actor=ACTOR)


def reporting(client: str, number: int) -> Callable[[random.Random], str]:
    """Report batches of the same hours as everybody, at times one that somebody else reports, too, or again."""
    from usage.models import Client

    client_id = Client.objects.get(name=client).pk
    batch = 0
    sent: list[Any] = []

    def deed(dice: random.Random) -> str:
        nonlocal batch
        from usage.reports import Batch
        from usage.services.recording import record_usage

        batch += 1
        # Of three batches one is everybody's own, and two are those of all who report for this client.
        author = str(number) if batch % 3 == 0 else "all"
        calls = [_call(f"{author}-{batch}-{index}", dice) for index in range(40)]
        dice.shuffle(calls)
        record_usage(Batch(calls), client_id=client_id)
        sent.append(calls)
        if dice.random() < 0.2:
            record_usage(Batch(dice.choice(sent)), client_id=client_id)
        return "reported"

    return deed


def _call(event_id: str, dice: random.Random) -> Any:
    from datetime import timedelta

    from modelmanager.lib.clock import now
    from usage.models import Outcome
    from usage.reports import Report

    at = now() - timedelta(seconds=dice.uniform(0, 7200))
    return Report(
        event_id, dice.choice(NAMES), at, dice.randrange(10**8), dice.choice(Outcome.values), dice.randrange(99)
    )


def rebuilding() -> Callable[[random.Random], str]:
    """Sum everything anew, as somebody may at any time."""
    from usage.services.rebuilding import rebuild_days, rebuild_hours

    def deed(dice: random.Random) -> str:
        for _hour in rebuild_hours():
            pass
        for _day in rebuild_days():
            pass
        return "rebuilt"

    return deed


def moving() -> Callable[[random.Random], str]:
    """Bring the days to another time zone."""
    from django.conf import settings

    from usage.services.rebuilding import complete_days

    def deed(dice: random.Random) -> str:
        settings.TIME_ZONE = dice.choice(["Asia/Seoul", "America/New_York", "Asia/Kolkata"])
        for _day in complete_days():
            pass
        return "moved"

    return deed


def leasing_and_releasing(name: str) -> Callable[[random.Random], str]:
    """Touch the model's row as leases do, beside those who report its use."""
    from django.db.models import F

    from modelmanager.lib.retry import retrying_transaction
    from models_registry.models import RegisteredModel

    rows = RegisteredModel.objects.filter(name=name)

    def deed(dice: random.Random) -> str:
        retrying_transaction(rows.update)(revision=F("revision") + 1)
        return "touched"

    return deed


def totals() -> dict[str, Any]:
    """Records, distinct events, what hours and days tell, and what a check finds."""
    from django.db.models import Sum

    from usage.models import UsageDay, UsageHour, UsageRecord
    from usage.services.checking import check_rollups

    check = check_rollups()
    return {
        "records": UsageRecord.objects.count(),
        "events": len(set(UsageRecord.objects.values_list("client", "event_id"))),
        "hours": UsageHour.objects.aggregate(n=Sum("calls"))["n"],
        "days": UsageDay.objects.aggregate(n=Sum("calls"))["n"],
        "differences": check.detail,
    }
