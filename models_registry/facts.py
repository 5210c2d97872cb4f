"""Changing what is known about a model: compare, set, and tell.

Facts change by compare-and-set on `revision`, so that a slow answer about the past never overwrites
a newer fact, and each change of wanted, observed or error leaves its event in the same transaction.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from models_registry.models import RegisteredModel, StatusEvent
from models_registry.vocabulary import RESIDENT, Observed, Status

logger = logging.getLogger("modelmanager.events")

TOLD = ("wanted", "observed", "error_code")


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
            _tell(model, before, after, code=code, message=message, actor=actor, at=at)
    for field, value in new.items():
        setattr(model, field, value)
    model.revision += 1
    model.status = int(after)
    return True


def consequences(model: RegisteredModel, changes: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What else changes with `changes`: queue, drain, error details, recovery. Pure."""
    wanted = changes.get("wanted", model.wanted)
    observed = changes.get("observed", model.observed)
    error = changes.get("error_code", model.error_code)
    out: dict[str, Any] = {}
    if "observed" in changes:
        out["observed_at"] = at
        out["observed_reason"] = ""
    if wanted and not model.wanted:
        out["drain_until"] = None
    if model.wanted and not wanted:
        out["recovered_at"] = None
        if observed in RESIDENT and model.drain_until is None:
            out["drain_until"] = at + timedelta(seconds=model.provider.drain_s)
    if observed != model.observed and observed not in RESIDENT:
        out |= {"drain_until": None, "loaded_config_id": None}
    out |= _queue(model, wanted=wanted, observed=observed, at=at)
    if error != model.error_code:
        out["error_since"] = at if error else None
        if not error:
            out["error_message"] = ""
    if error:
        out["recovered_at"] = None
    elif model.error_code and wanted and observed == Observed.READY:
        out["recovered_at"] = at
    if observed == Observed.READY and observed != model.observed:
        out |= {"failures": 0, "retry_at": None}
    return out


def _queue(model: RegisteredModel, *, wanted: bool, observed: str, at: datetime) -> dict[str, Any]:
    """A wanted model that is not ready waits since some moment; any other does not wait."""
    if wanted and observed != Observed.READY:
        return {} if model.queued_at else {"queued_at": at}
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


def _tell(
    model: RegisteredModel, before: Status, after: Status, *, code: str, message: str, actor: str, at: datetime
) -> None:
    StatusEvent.objects.create(
        model=model,
        at=at,
        from_status=before,
        to_status=after,
        code=code,
        message=message[:500],
        actor=actor[:150],
    )
    line = f"{model.name}: {before.word} -> {after.word} ({code} by {actor}) {message}".rstrip()
    transaction.on_commit(lambda: logger.info(line))
