"""Telling those who wait: for whom, until when, in which place, and giving up at the deadline."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from modelmanager.lib.retry import retrying_transaction
from models_registry.facts import change_facts
from models_registry.models import RegisteredModel
from models_registry.vocabulary import ErrorCode, Observed
from monitoring.beliefs import usual_load_s
from monitoring.models import Operation, OperationKind
from monitoring.rules.plan import Waiting

# What makes a new explanation worth a write; the expected time alone drifts with every look.
TOLD = ("for", "until", "queue_position")


def write(models: list[RegisteredModel], waits: dict[int, Waiting]) -> None:
    """Store with each waiting model why it waits."""
    for model in models:
        _store(model, _as_json(waits[model.pk]) if model.pk in waits else None)


def explain_loading(operation: Operation, at: datetime) -> None:
    """The model that is being loaded waits for nobody; tell when it is usually ready."""
    if operation.kind != OperationKind.LOAD or operation.finished_at is not None:
        return
    model = operation.model
    usual = usual_load_s([model.pk]).get(model.pk)
    ready_at = operation.started_at + timedelta(seconds=usual) if usual else None
    _store(model, _as_json(Waiting(position=0, expected_ready_at=ready_at)))


def give_up_waiting(models: list[RegisteredModel], at: datetime) -> None:
    """A model that waits longer than its deadline is in error; it stays wanted and in the queue."""
    limit = timedelta(seconds=settings.QUEUE_LIMIT_S)
    for model in models:
        if model.queued_at is None or model.error_code or model.observed == Observed.LOADING:
            continue
        if at - model.queued_at >= limit:
            held_by = ", ".join((model.waiting or {}).get("for", []))
            message = f"waited {settings.QUEUE_LIMIT_S:g} s for room" + (f", held by {held_by}" if held_by else "")
            changes = {"error_code": ErrorCode.ACTIVATION_TIMEOUT, "error_message": message}
            retrying_transaction(change_facts)(
                model, changes, code=ErrorCode.ACTIVATION_TIMEOUT, message=message, actor="system", at=at
            )


def _as_json(waiting: Waiting) -> dict[str, Any]:
    return {
        "for": list(waiting.held_by),
        "until": waiting.until.isoformat() if waiting.until else None,
        "queue_position": waiting.position,
        "expected_ready_at": waiting.expected_ready_at.isoformat() if waiting.expected_ready_at else None,
    }


def _store(model: RegisteredModel, waiting: dict[str, Any] | None) -> None:
    if _told(waiting) == _told(model.waiting):
        return
    rows = RegisteredModel.objects.filter(pk=model.pk)
    if waiting is not None:
        rows = rows.filter(queued_at__isnull=False)
    retrying_transaction(rows.update)(waiting=waiting)
    model.waiting = waiting


def _told(waiting: dict[str, Any] | None) -> Any:
    return None if waiting is None else [waiting[key] for key in TOLD]
