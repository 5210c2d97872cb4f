"""Should this model be loaded now? Pure rules over stored values and one clock reading."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models_registry.vocabulary import Policy, SwitchState


class Window(Protocol):
    """When a scheduled model is to be on."""

    def contains(self, at: datetime) -> bool: ...

    def next_opening(self, at: datetime) -> datetime | None: ...

    def next_closing(self, at: datetime) -> datetime | None: ...


@dataclass(frozen=True)
class Switch:
    """What a person said: auto, on or off, perhaps until a time."""

    state: SwitchState = SwitchState.AUTO
    until: datetime | None = None

    def says_on(self, at: datetime) -> bool:
        return self.state == SwitchState.ON and self._holds(at)

    def says_off(self, at: datetime) -> bool:
        return self.state == SwitchState.OFF and self._holds(at)

    def _holds(self, at: datetime) -> bool:
        return self.until is None or at < self.until


def wanted(
    switch: Switch,
    policy: Policy,
    window: Window | None,
    *,
    demand_until: datetime | None,
    open_leases: int,
    at: datetime,
) -> bool:
    """Whether the model should be loaded at `at`; a person's switch outranks everything."""
    if switch.says_on(at):
        return True
    if switch.says_off(at):
        return False
    match policy:
        case Policy.SCHEDULED:
            return window is not None and window.contains(at)
        case Policy.ON_DEMAND:
            return open_leases > 0 or (demand_until is not None and demand_until > at)
        case _:
            return False
