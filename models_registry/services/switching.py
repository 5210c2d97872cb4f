"""Switching models on, off and back to automatic; the loading itself is watched elsewhere."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.local_time import can_be_told
from modelmanager.lib.refusals import Invalid, NotFound
from modelmanager.lib.retry import retrying_transaction
from models_registry.facts import change_facts, has_to_end
from models_registry.fit import why_it_never_fits
from models_registry.models import RegisteredModel
from models_registry.refusals import ModelTooLarge
from models_registry.vocabulary import ErrorCode, SwitchState
from models_registry.waking import wake
from models_registry.wanted import Switch
from models_registry.wanting import evaluate, window_of

TRIES = 20
# Errors of the last try; a person asking again starts a new one.
FORGIVEN = (ErrorCode.NOT_LOADED, ErrorCode.LOAD_FAILED, ErrorCode.ACTIVATION_TIMEOUT)


def activate(model: RegisteredModel, *, actor: str, until: datetime | None = None) -> RegisteredModel:
    """Switch the model on (a scheduled one until its next closing unless `until` says) and wake its server.

    Raises ModelTooLarge when it could never fit, before anything is evicted; NotFound when it was deleted.
    """
    _refuse_if_too_large(model)
    at = now()
    _refuse_impossible(until, at)
    window = window_of(model)
    if until is None and window is not None:
        until = window.next_closing(at)
    return set_switch(model, Switch(SwitchState.ON, until), actor=actor, at=at)


def deactivate(
    model: RegisteredModel, *, actor: str, until: datetime | None = None, force: bool = False
) -> RegisteredModel:
    """Switch the model off; open leases drain first, or with `force` are revoked at once."""
    at = now()
    _refuse_impossible(until, at)
    return set_switch(model, Switch(SwitchState.OFF, until), actor=actor, at=at, revoke=force)


def automatic(model: RegisteredModel, *, actor: str) -> RegisteredModel:
    """Give the model back to its policy."""
    return set_switch(model, Switch(), actor=actor, at=now())


def turn(model: RegisteredModel, switch: Switch, *, actor: str) -> RegisteredModel:
    """Activate, deactivate or give back, as `switch` says. Raises what these raise."""
    match switch.state:
        case SwitchState.ON:
            return activate(model, actor=actor, until=switch.until)
        case SwitchState.OFF:
            return deactivate(model, actor=actor, until=switch.until)
        case _:
            return automatic(model, actor=actor)


def set_switch(
    model: RegisteredModel, switch: Switch, *, actor: str, at: datetime, revoke: bool = False
) -> RegisteredModel:
    """Write the switch with what it makes wanted, forgive the last try's error, and wake the server.

    With `revoke` what is on the GPU, or leased, has no time left to drain.
    """

    def changes(current: RegisteredModel) -> dict[str, Any]:
        wanted = evaluate(current, at, switch=switch)
        return {
            "switch_state": switch.state,
            "switch_until": switch.until,
            "wanted": wanted,
            "failures": 0,
            "retry_at": None,
            **({"error_code": ""} if _is_forgiven(current, wanted=wanted) else {}),
            **_asked_again(current, switch, at),
            **({"demand_until": None} if switch.state == SwitchState.OFF else {}),
            **({"drain_until": at} if revoke and has_to_end(current, current.observed) else {}),
        }

    return _apply(model, changes, code=f"switched_{switch.state}", actor=actor, at=at)


def _is_forgiven(model: RegisteredModel, *, wanted: bool) -> bool:
    """Whether a person's word ends the error: of a model of an API provider any that the next check tells anew.

    What its provider does not offer stays marked while nobody wants it, too.
    """
    if model.on_gpu:
        return model.error_code in FORGIVEN
    return wanted or model.error_code != ErrorCode.NOT_OFFERED


def _asked_again(model: RegisteredModel, switch: Switch, at: datetime) -> dict[str, Any]:
    """A new request waits from now on, with a deadline of its own."""
    return {"queued_at": at} if switch.state == SwitchState.ON and model.queued_at else {}


@retrying_transaction
def _apply(
    model: RegisteredModel,
    changes: Callable[[RegisteredModel], dict[str, Any]],
    *,
    code: str,
    actor: str,
    at: datetime,
) -> RegisteredModel:
    for _attempt in range(TRIES):
        current = RegisteredModel.objects.select_related("provider", "config", "window").filter(pk=model.pk).first()
        if current is None:
            raise NotFound(_("“%(name)s” was deleted just now.") % {"name": model.name})
        if change_facts(current, changes(current), code=code, actor=actor, at=at):
            wake(current.provider_id)
            current.refresh_from_db(fields=["status", "open_leases"])
            return current
    raise AssertionError("a model kept changing under twenty tries")


def _refuse_if_too_large(model: RegisteredModel) -> None:
    never = why_it_never_fits(model.size_mb, server_mb=model.provider.gpu_memory_mb) if model.on_gpu else None
    if never:
        raise ModelTooLarge(never[1])


def _refuse_impossible(until: datetime | None, at: datetime) -> None:
    if until is not None and until <= at:
        raise Invalid.of("until", _("Give a time that is still to come."))
    if until is not None and not can_be_told(until):
        raise Invalid.of("until", _("Give a time before the year 9000, or none."))
