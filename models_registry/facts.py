"""Changing what is known about a model: compare, set, and tell.

Facts change by compare-and-set on `revision`, so that a slow answer about the past never overwrites
a newer fact, and each change of wanted, observed or error leaves its event in the same transaction.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from modelmanager.lib.retry import retrying_transaction
from models_registry import in_force
from models_registry.models import RegisteredModel, StatusEvent
from models_registry.vocabulary import RESIDENT, SYSTEM, ErrorCode, Observed, Status
from models_registry.wanting import drain_s

logger = logging.getLogger("modelmanager.events")

TOLD = ("wanted", "observed", "error_code", "drain_until", "config_id", "deleted_at")
RUNS_WITH = {"observed", "config_id", "loaded_config_id"}
# What a provider that cannot be used makes of a model concerns only whoever wants it.
OF_WANTED = (ErrorCode.PROVIDER_UNREACHABLE, ErrorCode.CREDENTIAL_INVALID)


def status_of(
    *, error_code: str, open_leases: int, observed: str, wanted: bool, recovered_at: datetime | None
) -> Status:
    """The status that these facts have: the same rule as the generated column."""
    if error_code:
        return Status.ERROR
    if open_leases > 0:
        return Status.IN_USE
    if observed == Observed.READY and wanted:
        return Status.ACTIVE if recovered_at is None else Status.RECOVERED
    return Status.ACTIVATING if wanted else Status.REGISTERED


def change_facts(
    model: RegisteredModel,
    changes: Mapping[str, Any],
    *,
    code: str,
    actor: str,
    at: datetime,
    message: str = "",
    only_if: Q | None = None,
) -> bool:
    """Apply `changes` and what follows from them, if nobody changed the model since it was read.

    Returns False when the model moved on or `only_if` does not hold: read again and decide anew.
    Nothing is written when nothing would change. `model` is brought up to date on success.
    """
    wished = {**consequences(model, changes, at), **changes}
    new = {field: value for field, value in wished.items() if getattr(model, field) != value}
    if not new:
        return True
    before = _status(model, {})
    after = _status(model, new)
    told = any(field in new for field in TOLD)
    if told and before != after:
        new["status_since"] = at
    with transaction.atomic():
        row = RegisteredModel.all_objects.filter(only_if or Q(), pk=model.pk, revision=model.revision)
        if not row.update(**new, revision=F("revision") + 1):
            return False
        if told:
            wanted = new.get("wanted", model.wanted)
            _leave(_event(model, before, after, wanted=wanted, code=code, message=message, actor=actor, at=at))
        if not RUNS_WITH.isdisjoint(new):
            _note_what_runs(model, new, at)
    for field, value in new.items():
        setattr(model, field, value)
    model.revision += 1
    model.status = int(after)
    return True


def change_facts_as_system(
    model: RegisteredModel,
    changes: Mapping[str, Any],
    *,
    code: str,
    at: datetime,
    message: str = "",
    only_if: Q | None = None,
) -> bool:
    """The same in a transaction of its own, by nobody in particular."""
    change = retrying_transaction(change_facts)
    return change(model, changes, code=code, message=message, actor=SYSTEM, at=at, only_if=only_if)


def consequences(model: RegisteredModel, changes: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What else changes with `changes`: queue, drain, error details, recovery. Pure."""
    wanted = changes.get("wanted", model.wanted)
    observed = changes.get("observed", model.observed)
    error = changes.get("error_code", model.error_code)
    out: dict[str, Any] = {}
    if error in OF_WANTED and not wanted:
        error = out["error_code"] = ""
    if "observed" in changes:
        out["observed_at"] = at
        out["observed_reason"] = ""
    if wanted and not model.wanted:
        out["drain_until"] = None
    if model.wanted and not wanted:
        out["recovered_at"] = None
        if has_to_end(model, observed) and model.drain_until is None:
            out["drain_until"] = at + timedelta(seconds=drain_s(model))
    if observed != model.observed and observed not in RESIDENT:
        out["loaded_config_id"] = None
        if not model.open_leases:  # one that was lost while it drained still revokes its leases in time
            out["drain_until"] = None
    if observed == Observed.READY and model.on_gpu and model.loaded_config_id is None:
        out["loaded_config_id"] = model.config_id  # someone else's load: as it should be
    if not RUNS_WITH.union({"wanted"}).isdisjoint(changes):
        out |= _reload(model, {**out, **changes}, at)
    out |= _queue(model, wanted=wanted, observed=observed, error=error, at=at)
    if error != model.error_code:
        out["error_since"] = at if error else None
        out["error_message"] = ""  # another error's, unless `changes` tell this one's
    if error:
        out["recovered_at"] = None
    elif model.error_code and wanted and observed == Observed.READY:
        out["recovered_at"] = at
    is_back = model.error_code == ErrorCode.MISSING and not error
    if is_back or (observed == Observed.READY and observed != model.observed):
        out |= {"failures": 0, "retry_at": None}
    return out


def has_to_end(model: RegisteredModel, observed: str) -> bool:
    """Whether something goes on until the drain deadline: leases, or what holds a GPU."""
    return bool(model.open_leases) or (model.on_gpu and observed in RESIDENT)


def _reload(model: RegisteredModel, changes: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """A wanted model that is loaded with other load settings than its current ones gives no new leases."""

    def value(field: str) -> Any:
        return changes.get(field, getattr(model, field))

    due = value("observed") == Observed.READY and value("loaded_config_id") not in (None, value("config_id"))
    if not value("wanted"):
        return {}
    if due and value("drain_until") is None:
        return {"drain_until": at + timedelta(seconds=drain_s(model))}
    return {"drain_until": None} if model.needs_reload and not due and value("observed") == Observed.READY else {}


def _queue(model: RegisteredModel, *, wanted: bool, observed: str, error: str, at: datetime) -> dict[str, Any]:
    """A wanted model that is not ready waits since some moment; any other does not wait.

    One of an API provider waits for a check, which ends in an error or not; it keeps no place in any queue.
    """
    waits = wanted and observed != Observed.READY
    if waits and (model.on_gpu or not error):
        # Time spent in an error is no time in the queue: its deadline would have passed already.
        begins = model.queued_at is None or (model.error_code and not error)
        return {"queued_at": at} if begins else {}
    return {"queued_at": None, "waiting": None}


def _status(model: RegisteredModel, new: Mapping[str, Any]) -> Status:
    def value(field: str) -> Any:
        return new.get(field, getattr(model, field))

    return status_of(
        error_code=value("error_code"),
        open_leases=value("open_leases"),
        observed=value("observed"),
        wanted=value("wanted"),
        recovered_at=value("recovered_at"),
    )


def _note_what_runs(model: RegisteredModel, new: Mapping[str, Any], at: datetime) -> None:
    config_id = in_force.runs_with(
        on_gpu=model.on_gpu,
        **{field: new.get(field, getattr(model, field)) for field in ("observed", "config_id", "loaded_config_id")},
    )
    if config_id is not None:
        in_force.note(model, config_id, at=at)


def start_with(model: RegisteredModel, facts: Mapping[str, Any], at: datetime) -> None:
    """Set what is known of a model that is about to be stored, and what follows from it; `tell_started` tells."""
    for field, value in {**consequences(model, facts, at), **facts}.items():
        setattr(model, field, value)
    if _status(model, {}) != Status.REGISTERED:
        model.status_since = at


def tell_started(models: Iterable[RegisteredModel], *, messages: Mapping[str, str], actor: str, at: datetime) -> None:
    """Leave the events of new models that something is known of (`messages`, by name), in the same transaction."""
    known = [model for model in models if model.name in messages]
    events = [
        _event(
            model,
            Status.REGISTERED,
            _status(model, {}),
            wanted=model.wanted,
            code="registered",
            message=messages[model.name],
            actor=actor,
            at=at,
        )
        for model in known
    ]
    StatusEvent.objects.bulk_create(events)
    transaction.on_commit(lambda: _log(*events))


def tell_deleted(model: RegisteredModel, *, actor: str, at: datetime) -> None:
    """Leave the event of a deletion; in the transaction that deletes."""
    tell(model, code="deleted", actor=actor, at=at)


def tell(model: RegisteredModel, *, code: str, actor: str, at: datetime, message: str = "") -> None:
    """Leave the event of something that changes no status."""
    status = Status(model.status)
    _leave(_event(model, status, status, wanted=model.wanted, code=code, message=message, actor=actor, at=at))


def _leave(event: StatusEvent) -> None:
    event.save(force_insert=True)
    transaction.on_commit(lambda: _log(event))


def _event(
    model: RegisteredModel,
    before: Status,
    after: Status,
    *,
    wanted: bool,
    code: str,
    message: str,
    actor: str,
    at: datetime,
) -> StatusEvent:
    return StatusEvent(
        model=model,
        at=at,
        from_status=before,
        to_status=after,
        code=code,
        message=message[:500],
        actor=actor[:150],
        wanted=wanted,
    )


def _log(*events: StatusEvent) -> None:
    for event in events:
        before, after = event.from_word, event.to_word
        change = after if before == after else f"{before} → {after}"
        logger.info(f"{event.model.name}: {change} ({event.code} by {event.actor}) {event.message}".rstrip())
