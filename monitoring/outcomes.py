"""How operations end: recorded once, with what that makes of the model."""

from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Q

from modelmanager.lib.retry import retrying_transaction
from models_registry.facts import change_facts
from models_registry.models import RegisteredModel
from models_registry.services.configs import note_roll_back
from models_registry.vocabulary import SYSTEM, ErrorCode, Observed
from monitoring.models import Operation, OperationKind, Outcome
from monitoring.rules.plan import back_off_s
from monitoring.rules.reload import rolls_back

LOADS_REMEMBERED = 20


@retrying_transaction
def finish(
    operation: Operation,
    outcome: Outcome,
    *,
    at: datetime,
    observed: Observed | None = None,
    error: str = "",
    blame: bool = True,
) -> bool:
    """Record the outcome and what it makes of the model, once; False when another hand was first.

    Without `blame` a failure makes no error of the model: it was the server that did not answer.
    """
    # Its provider is not read along: MySQL and MariaDB would lock that row, too, after the model's.
    model = RegisteredModel.all_objects.select_for_update().get(pk=operation.model_id)
    row = Operation.objects.filter(pk=operation.pk, finished_at__isnull=True)
    operation.finished_at = at  # by us or by the hand that was first
    if not row.update(finished_at=at, outcome=outcome, error=error[:500]):
        return False
    operation.outcome = outcome
    makes = _gone_back if blame and _goes_back(operation, model) else _aftermath
    changes, code = makes(model, operation, outcome, error, at)
    if observed is not None:
        changes["observed"] = observed
    if not blame:
        changes = {field: value for field, value in changes.items() if not field.startswith("error_")}
    if not change_facts(model, changes, code=code, actor=SYSTEM, at=at, message=error):
        raise AssertionError("a locked model changed")
    return True


def _goes_back(operation: Operation, model: RegisteredModel) -> bool:
    return rolls_back(
        operation.kind,
        operation.outcome,
        tried=operation.config_id,
        replaces=operation.replaces_id,
        current=model.config_id,
    )


def _gone_back(
    model: RegisteredModel, operation: Operation, outcome: Outcome, error: str, at: datetime
) -> tuple[dict[str, Any], str]:
    """The version that was loaded before is current again, and is loaded at once, as if it had never gone.

    A load that took too long may still go on in the server: that stays an error until it has ended.
    """
    note_roll_back(model, operation.replaces_id, reason=error, at=at)
    changes: dict[str, Any] = {"config_id": operation.replaces_id, "failures": 0, "retry_at": None}
    if outcome == Outcome.TIMED_OUT:
        changes |= {"error_code": ErrorCode.ACTIVATION_TIMEOUT, "error_message": error[:500]}
    else:
        changes["error_code"] = ""
    return changes, "config_rolled_back"


def _aftermath(
    model: RegisteredModel, operation: Operation, outcome: Outcome, error: str, at: datetime
) -> tuple[dict[str, Any], str]:
    """What an outcome makes of the model, and the code of the event."""
    is_load = operation.kind == OperationKind.LOAD
    if outcome == Outcome.CANCELLED:
        return {}, outcome
    if outcome == Outcome.SUCCEEDED and is_load:
        code = "recovered" if model.error_code else "ready"
        return {"error_code": "", "usual_load_s": _usual_load_s(operation.model_id)}, code
    if outcome == Outcome.SUCCEEDED:
        return {"failures": 0, "retry_at": None}, "unloaded"
    failures = model.failures + 1
    held_back = {"failures": failures, "retry_at": at + timedelta(seconds=back_off_s(failures))}
    if not is_load:
        return held_back, f"unload_{outcome}"
    code = ErrorCode.ACTIVATION_TIMEOUT if outcome == Outcome.TIMED_OUT else ErrorCode.LOAD_FAILED
    return held_back | {"error_code": code, "error_message": error[:500]}, code


def _usual_load_s(model_id: int) -> float | None:
    """Median seconds of the model's last loads (at most 20) that succeeded, the one just recorded among them."""
    loads = Operation.objects.filter(
        Q(posted_at__isnull=False), model_id=model_id, kind=OperationKind.LOAD, outcome=Outcome.SUCCEEDED
    ).values_list("posted_at", "finished_at")[:LOADS_REMEMBERED]
    times = [(finished - posted).total_seconds() for posted, finished in loads if posted and finished]
    return median(times) if times else None
