"""Asking for statistics of use: two days of Seoul, and four calls on them."""

from typing import Any

from models_registry.models import Provider
from tests.api.calls import Caller, done
from tests.usage.statistics.arranging import Office

PATH = "usage/statistics/"
RANGE = {"from": "2026-11-17T15:00:00Z", "to": "2026-11-19T15:00:00Z"}


def four_calls(provider: Provider) -> Office:
    """Two models and two clients, and four calls on two days of Seoul."""
    office = Office(provider=provider)
    bge, chat = office.model("bge"), office.model("chat")
    bot, wiki = office.client("bot"), office.client("wiki")
    office.call(bge, bot, "2026-11-18T09:15:00+09:00", latency_us=1_500_000, cost=1_234_567)
    office.call(bge, bot, "2026-11-18T23:59:59.999999+09:00", outcome="timeout", latency_us=100_000)
    office.call(bge, wiki, "2026-11-19T00:00:00+09:00", config=2, outcome="cancelled")
    office.call(chat, wiki, "2026-11-19T09:15:00+09:00", outcome="error")
    office.keep()
    return office


def rows(caller: Caller, path: str = PATH, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = done(caller.get(path, **{**RANGE, "tz": "Asia/Seoul", **query}))["results"]
    return found


def calls_by(caller: Caller, *names: str, **query: Any) -> dict[Any, int]:
    return {tuple(row[name] for name in names): row["calls"] for row in rows(caller, **query)}
