"""What `wanted` should be for a stored model, and what follows in its columns."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models_registry.models import RegisteredModel
from models_registry.vocabulary import Policy
from models_registry.wanted import Window, wanted

STAYS_FOR_S = 300


@dataclass(frozen=True)
class Early:
    """A window that opens `lead` before its time, so that a model is loaded when it opens; it closes on time."""

    window: Window
    lead: timedelta

    def contains(self, at: datetime) -> bool:
        if self.window.contains(at):
            return True
        opening = self.window.next_opening(at)  # by now it may be open for less than the lead
        return opening is not None and opening - self.lead <= at

    def next_opening(self, at: datetime) -> datetime | None:
        opening = self.window.next_opening(at + self.lead)
        return None if opening is None else opening - self.lead

    def next_closing(self, at: datetime) -> datetime | None:
        return self.window.next_closing(at)


def window_of(model: RegisteredModel, *, early: bool = False) -> Window | None:
    """The window that a scheduled model follows; with `early`, opening by its usual load time before.

    What is wanted already stays so for an opening within five minutes: a load may be quicker than usual.
    """
    if model.activation_policy != Policy.SCHEDULED or model.window is None:
        return None
    hours = model.window.hours
    lead_s = STAYS_FOR_S if model.wanted else model.usual_load_s or 0
    return Early(hours, timedelta(seconds=lead_s)) if early else hours


def drain_s(model: RegisteredModel) -> int:
    """How long open leases may go on once the model is not wanted any more."""
    if model.activation_policy == Policy.SCHEDULED and model.window is not None and model.window.drain_s is not None:
        return model.window.drain_s
    return model.provider.drain_s


def evaluate(model: RegisteredModel, at: datetime, *, early: bool = False, **changed: Any) -> bool:
    """Whether the model should be loaded at `at`, were the inputs in `changed` so."""
    return wanted(
        changed.get("switch", model.switch),
        Policy(model.activation_policy),
        window_of(model, early=early),
        demand_until=changed.get("demand_until", model.demand_until),
        open_leases=changed.get("open_leases", model.open_leases),
        at=at,
    )
