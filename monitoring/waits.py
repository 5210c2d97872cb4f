"""Telling those who wait: for whom, until when, in which place, and giving up at the deadline."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from modelmanager.lib.retry import retrying_transaction
from models_registry.facts import change_facts_as_system
from models_registry.models import RegisteredModel
from models_registry.vocabulary import ErrorCode, Observed
from monitoring.models import Operation, OperationKind
from monitoring.rules.values import Waiting

# What makes a new explanation worth a write; the expected time alone drifts with every look.
TOLD = ("for", "until", "queue_position")


def write(models: list[RegisteredModel], waits: dict[int, Waiting]) -> None:
    """Store with each waiting model why it waits."""
    for model in models:
        _store(model, _as_json(waits[model.pk]) if model.pk in waits else None)


def explain_at_work(operation: Operation) -> None:
    """The model that is being loaded, or unloaded and wanted again, waits for nobody; tell when it is usually ready."""
    model = operation.model
    if operation.finished_at is not None or model.queued_at is None:
        return
    usual = model.usual_load_s if operation.kind == OperationKind.LOAD else None
    ready_at = operation.started_at + timedelta(seconds=usual) if usual else None
    _store(model, _as_json(Waiting(position=0, expected_ready_at=ready_at)))


def give_up_waiting(models: list[RegisteredModel], at: datetime) -> None:
    """A model that waits longer than its deadline is in error; it stays wanted and in the queue."""
    limit = timedelta(seconds=settings.QUEUE_LIMIT_S)
    for model in models:
        is_loaded = model.observed == Observed.LOADING and model.provider.enabled  # its operation has a deadline
        if model.queued_at is None or model.error_code or is_loaded:
            continue
        if at - model.queued_at >= limit:
            message = f"waited {settings.QUEUE_LIMIT_S:g} s for {_awaited(model)}"
            changes = {"error_code": ErrorCode.ACTIVATION_TIMEOUT, "error_message": message}
            change_facts_as_system(model, changes, code=ErrorCode.ACTIVATION_TIMEOUT, message=message, at=at)


def _awaited(model: RegisteredModel) -> str:
    if not model.provider.enabled:
        return "its provider, which is disabled"
    if not model.on_gpu:
        return "a check of its provider that passes"
    held_by = ", ".join((model.waiting or {}).get("for", []))
    return f"room, held by {held_by}" if held_by else "room"


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
