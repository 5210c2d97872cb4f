"""Models of one server as the plan sees them, and what it decides about them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models_registry.vocabulary import Observed
from monitoring.rules.plan import plan
from monitoring.rules.values import Action, Candidate, Server, Waiting

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ONE = Server(max_loaded=1)


def ago(seconds: float) -> datetime:
    return AT - timedelta(seconds=seconds)


def soon(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def wanted(id: int, **more: Any) -> Candidate:
    return Candidate(id, f"m{id}", **{"wanted": True, "observed": Observed.UNLOADED, "queued_at": ago(1), **more})


def ready(id: int, **more: Any) -> Candidate:
    return Candidate(id, f"m{id}", **{"wanted": True, "observed": Observed.READY, **more})


def unwanted(id: int, **more: Any) -> Candidate:
    return ready(id, wanted=False, **more)


def act(*candidates: Candidate, server: Server = ONE) -> Action:
    return plan(server, candidates, AT).action


def waits(*candidates: Candidate, server: Server = ONE) -> dict[int, Waiting]:
    return plan(server, candidates, AT).waits
