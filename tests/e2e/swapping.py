"""Client systems, each a process, that use whatever model they happen to need; and what became of their uses."""

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.caller import Answer, Caller
from tests.triton import direct

WAIT_S = 20
TTL_S = 60


@dataclass(frozen=True)
class Habits:
    """How clients behave; times in seconds. They think, ask, hold a lease for a moment, and think again."""

    models: Sequence[str]
    seed: int
    for_s: float
    think_s: float = 0.7
    stays: float = 0.5  # how often the next use is of the same model
    longest_use_s: float = 1.5
    patience_s: float = 300.0


@dataclass
class Use:
    """One wish for a model: how long it waited, what refused it meanwhile, and what was wrong in the end."""

    client: int
    model: str
    waited_s: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    fault: str = ""


def work_side_by_side(url: str, key: str, *, clients: int, habits: Habits) -> list[Use]:
    """Let so many processes work at once; all that they wished for, each wish carried to its end."""
    with ProcessPoolExecutor(clients, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(_work, number, url, key, habits) for number in range(clients)]
        return [use for one in running for use in one.result()]


def _work(number: int, url: str, key: str, habits: Habits) -> list[Use]:
    dice = random.Random(f"{habits.seed} {number}")
    api = Caller(url, key)
    uses = []
    ends = time.monotonic() + habits.for_s
    model = dice.choice(habits.models)
    while time.monotonic() < ends:
        time.sleep(dice.expovariate(1 / habits.think_s))
        uses.append(_use(api, Use(number, model), dice.uniform(0.1, habits.longest_use_s), habits))
        model = model if dice.random() < habits.stays else dice.choice(habits.models)
    return uses


def _use(api: Caller, use: Use, hold_s: float, habits: Habits) -> Use:
    lease = _patiently(api, use, habits.patience_s)
    if lease is None:
        return use
    try:
        _work_with(lease["connection"], use)
        time.sleep(hold_s)
        _work_with(lease["connection"], use)
    except Exception as error:
        use.fault = f"lease {lease['id']}: {error}"
    api.release(lease)
    return use


def _patiently(api: Caller, use: Use, patience_s: float) -> dict[str, Any] | None:
    """Ask until there is a lease, as often as the refusals say."""
    began = time.monotonic()
    while True:
        answer = api.acquire(use.model, wait_s=WAIT_S, ttl_s=TTL_S)
        use.waited_s = time.monotonic() - began
        if answer.status == 201:
            lease: dict[str, Any] = answer.body
            return lease
        use.refused[answer.code] += 1
        use.fault = _what_is_wrong(answer, starved=use.waited_s > patience_s)
        if use.fault:
            return None
        time.sleep(float(answer.retry_after or 0))


def _what_is_wrong(answer: Answer, *, starved: bool) -> str:
    """A refusal must say when to come back."""
    if answer.status != 503 or answer.retry_after is None:
        return f"refused for good: {answer}"
    return f"starved: {answer}" if starved else ""


def _work_with(to: dict[str, Any], use: Use) -> None:
    assert direct.is_ready(to["url"], to["model_name"]), "leased, and not ready"
    said = direct.infer(to["url"], to["model_name"], version=to["model_version"], TEXT=[f"{use.client} {use.model}"])
    assert said["ECHO"]["data"] == [f"{use.client} {use.model}"]
