"""When a server wants to be looked at next: its alarm, and the stored times it is set to."""

from datetime import datetime, timedelta

from django.conf import settings

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying
from models_registry.models import Provider, RegisteredModel
from models_registry.wanting import window_of
from monitoring.rules.room import LINGERS_ABOVE
from monitoring.rules.values import AGE_STEP_S, Plan, Server

LOOK_TAKES_S = 5
AGE_STEP = timedelta(seconds=AGE_STEP_S)
PRESSED_LOOK = timedelta(seconds=1)


def hold(provider: Provider) -> datetime | None:
    """Put an alarm that has gone off a little ahead, so that a look that is killed is taken again."""
    at = now()
    if provider.wake_at is None or provider.wake_at > at:
        return provider.wake_at
    ahead = at + timedelta(seconds=LOOK_TAKES_S)
    move(provider, provider.wake_at, ahead)
    return ahead


def move(provider: Provider, alarm: datetime | None, next_at: datetime | None) -> None:
    """Set the next look, unless somebody woke the server since its alarm was read."""
    if alarm != next_at:
        retrying(Provider.all_objects.filter(pk=provider.pk, wake_at=alarm).update)(wake_at=next_at)


def room_free_at(decided: Plan, at: datetime) -> datetime | None:
    """When the first of those whose room is waited for must have gone, or gives way because it is idle."""
    times = (wait.until for wait in decided.waits.values())
    return min((until for until in times if until is not None and until > at), default=None)


def pressure_falls_at(server: Server, at: datetime) -> datetime | None:
    """When to look again how pressed a server is for which somebody waits: an idle model then lingers for less long."""
    return at + PRESSED_LOOK if server.pressure > LINGERS_ABOVE else None


def next_due(models: list[RegisteredModel], at: datetime) -> datetime | None:
    """The next moment at which a stored time makes a difference to this server."""
    times: list[datetime | None] = []
    for model in models:
        # Demand makes an on-demand model wanted, and keeps any other for whoever waited for it.
        times += [model.switch_until, model.drain_until, model.retry_at, model.demand_until if model.wanted else None]
        times += _window_edges(model, at)
        if model.queued_at is not None and not model.error_code:
            times += [
                model.queued_at + timedelta(seconds=s) for s in (settings.HAND_OVER_AFTER_S, settings.QUEUE_LIMIT_S)
            ]
        if model.queued_at is not None and model.demand_until is not None and model.demand_until > at:
            times.append(_rank_rises_at(model.queued_at, at))
    return min((time for time in times if time is not None and time > at), default=None)


def _rank_rises_at(queued_at: datetime, at: datetime) -> datetime:
    """When the wait of a request next raises the rank of its model."""
    return queued_at + AGE_STEP * ((at - queued_at) // AGE_STEP + 1)


def _window_edges(model: RegisteredModel, at: datetime) -> list[datetime | None]:
    window = window_of(model, early=True)
    return [] if window is None else [window.next_opening(at), window.next_closing(at)]
