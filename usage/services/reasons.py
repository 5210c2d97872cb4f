"""Why a lease is refused, in words."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from modelmanager.lib.refusals import Refusal
from models_registry.models import RegisteredModel
from models_registry.own_words import retold
from models_registry.vocabulary import ErrorCode
from models_registry.wanting import window_of
from usage.refusals import GpuBusy, ModelActivating, ModelError, ModelInactive

RETRY_AFTER_S = 5


def inactive(model: RegisteredModel, at: datetime) -> Refusal:
    """The refusal for a model that is not wanted."""
    opening = _next_opening(model, at)
    if opening is not None:
        detail = _("“%(name)s” is outside its window.") % {"name": model.name}
    else:
        detail = _("“%(name)s” is not switched on: an operator can activate it.") % {"name": model.name}
    return ModelInactive(detail, next_opening=opening)


def _next_opening(model: RegisteredModel, at: datetime) -> datetime | None:
    """When the model's window lets it be used next; None when a person switched it off for good."""
    window, switch = window_of(model), model.switch
    if window is None or (switch.says_off(at) and switch.until is None):
        return None
    free_at = switch.until if switch.says_off(at) and switch.until else at
    return free_at if window.contains(free_at) and free_at > at else window.next_opening(free_at)


def broken(model: RegisteredModel) -> ModelError:
    """The refusal for a model with an error that waiting does not mend."""
    cause = model.error_code or ErrorCode.NOT_LOADED
    reason = retold(model.error_message) or ErrorCode(cause).label
    detail = _("“%(name)s” cannot be used: %(reason)s") % {"name": model.name, "reason": reason}
    return ModelError(detail, cause=str(cause))


def coming(model: RegisteredModel, at: datetime) -> ModelActivating:
    """The refusal for a model on its way."""
    waiting = model.waiting or {}
    position, expected_wait_s = _told(waiting, at) if waiting else _at_the_end_of_the_queue(model)
    extra = {"queue_position": position, "expected_wait_s": expected_wait_s}
    held_by = waiting.get("for") or []
    if held_by:
        detail = _("“%(name)s” waits for room: %(others)s on the GPU.")
        values = {"name": model.name, "others": ", ".join(held_by)}
        return GpuBusy(detail % values, retry_after_s=RETRY_AFTER_S, held_by=held_by, **extra)
    detail = _("“%(name)s” is being activated.") % {"name": model.name}
    return ModelActivating(detail, retry_after_s=RETRY_AFTER_S, held_by=[], **extra)


def _told(waiting: dict[str, Any], at: datetime) -> tuple[int | None, float | None]:
    return waiting.get("queue_position"), _seconds_until(waiting.get("expected_ready_at"), at)


def _at_the_end_of_the_queue(model: RegisteredModel) -> tuple[int | None, float | None]:
    """Place and expected wait of a model whose server has not been looked at since it was asked for."""
    if not model.on_gpu:
        return None, None
    queued = RegisteredModel.objects.filter(provider=model.provider_id, queued_at__isnull=False)
    loads_s = [*queued.exclude(pk=model.pk).values_list("usual_load_s", flat=True), model.usual_load_s]
    known = [load_s for load_s in loads_s if load_s is not None]
    return len(loads_s), round(sum(known), 1) if len(known) == len(loads_s) else None


def _seconds_until(time_text: str | None, at: datetime) -> float | None:
    if not time_text:
        return None
    return max(0.0, round((datetime.fromisoformat(time_text) - at).total_seconds(), 1))
