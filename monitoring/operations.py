"""Operations: claim, post once, watch, record.

An operation is the lock of its server (`running_on` is unique). Nobody owns one: posting is won by
compare-and-set on `posted_at`, the outcome by compare-and-set on `finished_at`, so whichever process
looks next carries it on, and one that was killed is missed by nobody.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying_transaction
from models_registry.facts import change_facts
from models_registry.models import RegisteredModel
from models_registry.providers.errors import ProviderError, ProviderRefused
from models_registry.providers.gateway import TritonGateway
from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import ErrorCode, Observed, SwitchState
from models_registry.wanted import Switch
from models_registry.wanting import evaluate
from monitoring.models import Operation, OperationKind, Outcome
from monitoring.rules.follow import Step, follow
from monitoring.rules.plan import back_off_s

SYSTEM = "system"


def running_on(provider_id: int) -> Operation | None:
    """The unfinished operation of a server, with its model."""
    return Operation.objects.select_related("model__provider", "config").filter(running_on=provider_id).first()


@retrying_transaction
def claim_load(model: RegisteredModel, *, seen: RemoteModel, at: datetime) -> Operation | None:
    """Begin to load a model; None when the model moved on or the server has an operation already."""
    if not change_facts(model, {"observed": Observed.LOADING}, code="loading", actor=SYSTEM, at=at):
        return None
    deadline = at + timedelta(seconds=settings.LOAD_LIMIT_S)
    return _insert(model, OperationKind.LOAD, deadline=deadline, reason_before=seen.reason, at=at)


@retrying_transaction
def claim_unload(model: RegisteredModel, *, evicted_for: str = "", at: datetime) -> Operation | None:
    """Begin to unload a model that has no lease; a victim's switch goes from on back to automatic.

    None when it was leased or changed meanwhile, or the server has an operation already.
    """
    changes: dict[str, Any] = {"observed": Observed.UNLOADING}
    if evicted_for:
        changes |= _gives_way(model, at)
    code, message = ("evicted", f"for {evicted_for}") if evicted_for else ("unloading", "")
    idle = Q(open_leases=0)
    if not change_facts(model, changes, code=code, message=message, actor=SYSTEM, at=at, only_if=idle):
        return None
    return _insert(
        model, OperationKind.UNLOAD, deadline=at + timedelta(seconds=settings.UNLOAD_LIMIT_S), reason_before="", at=at
    )


def _gives_way(model: RegisteredModel, at: datetime) -> dict[str, Any]:
    """What makes eviction end: the switch back to automatic, no demand, wanted computed anew."""
    switch = Switch() if model.switch_state == SwitchState.ON else model.switch
    return {
        "switch_state": switch.state,
        "switch_until": switch.until,
        "demand_until": at,
        "wanted": evaluate(model, at, switch=switch, demand_until=at, open_leases=0),
    }


def _insert(
    model: RegisteredModel, kind: OperationKind, *, deadline: datetime, reason_before: str, at: datetime
) -> Operation | None:
    operation = Operation(
        provider_id=model.provider_id,
        model=model,
        kind=kind,
        config_id=model.config_id if kind == OperationKind.LOAD else None,
        requested_by=_asker(model),
        started_at=at,
        deadline_at=deadline,
        reason_before=reason_before,
    )
    try:
        with transaction.atomic():
            operation.save(force_insert=True)
    except IntegrityError:
        transaction.set_rollback(True)  # the model's change goes too: another operation is running
        return None
    return operation


def _asker(model: RegisteredModel) -> str:
    """Whoever last changed what is wanted of the model."""
    asked = model.events.filter(code__in=("switched_on", "switched_off", "switched_auto", "wanted", "evicted"))
    return asked.values_list("actor", flat=True).first() or SYSTEM


def carry_on(operation: Operation, gateway: TritonGateway, seen: RemoteModel) -> None:
    """Take the next step of a running operation: post it, or judge what the index says of its model."""
    if operation.posted_at is None:
        _post(operation, gateway)
        return
    ready = seen.state in (RemoteState.READY, RemoteState.ABSENT) and _is_ready(operation, gateway)
    _take(operation, _follow(operation, seen, ready=ready), now())


def expire(operation: Operation) -> None:
    """End an operation whose deadline has passed while its server did not answer."""
    at = now()
    if operation.posted_at is not None and at >= operation.deadline_at:
        _take(operation, Step(Outcome.TIMED_OUT, "the server did not answer"), at)


def _post(operation: Operation, gateway: TritonGateway) -> None:
    """Send the request if nobody has, and read what can be read from its answer."""
    at = now()
    if operation.kind == OperationKind.LOAD and not RegisteredModel.objects.filter(pk=operation.model_id, wanted=True):
        finish(operation, Outcome.CANCELLED, at=at, observed=Observed.UNLOADED)
        return
    limit_s = settings.LOAD_LIMIT_S if operation.kind == OperationKind.LOAD else settings.UNLOAD_LIMIT_S
    mine = Operation.objects.filter(pk=operation.pk, posted_at__isnull=True, finished_at__isnull=True)
    if not retrying_transaction(mine.update)(posted_at=at, deadline_at=at + timedelta(seconds=limit_s)):
        return
    try:
        loaded = _send(operation, gateway)
    except ProviderRefused as refusal:
        finish(operation, Outcome.FAILED, at=now(), observed=_left_by_failure(operation), error=refusal.message)
        return
    except ProviderError as error:  # nothing was sent
        lost = _left_by_failure(operation)
        finish(operation, Outcome.LOST, at=now(), observed=lost, error=error.message, blame=False)
        return
    if loaded and _is_ready(operation, gateway):
        finish(operation, Outcome.SUCCEEDED, at=now(), observed=Observed.READY)


def _send(operation: Operation, gateway: TritonGateway) -> bool:
    """Post the request; whether the server says at once that the model is loaded."""
    if operation.kind == OperationKind.LOAD:
        return gateway.post_load(operation.model.remote_name)
    gateway.post_unload(operation.model.remote_name)
    return False


def _is_ready(operation: Operation, gateway: TritonGateway) -> bool:
    return gateway.is_ready(operation.model.remote_name, operation.model.remote_version)


def _left_by_failure(operation: Operation) -> Observed:
    return Observed.UNLOADED if operation.kind == OperationKind.LOAD else Observed.READY


def _follow(operation: Operation, seen: RemoteModel, *, ready: bool) -> Step:
    return follow(
        operation.kind,
        seen,
        ready=ready,
        reason_before=operation.reason_before,
        busy_seen=operation.busy_seen,
        quiet_since=operation.quiet_since,
        deadline_at=operation.deadline_at,
        lost_after_s=settings.LOST_AFTER_S,
        at=now(),
    )


def _take(operation: Operation, step: Step, at: datetime) -> None:
    if step.outcome is not None:
        finish(operation, step.outcome, at=at, observed=step.observed, error=step.error)
    elif (step.busy_seen, step.quiet_since) != (operation.busy_seen, operation.quiet_since):
        row = Operation.objects.filter(pk=operation.pk, finished_at__isnull=True)
        row.update(busy_seen=step.busy_seen, quiet_since=step.quiet_since)


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
    model = RegisteredModel.all_objects.select_related("provider").select_for_update().get(pk=operation.model_id)
    row = Operation.objects.filter(pk=operation.pk, finished_at__isnull=True)
    operation.finished_at = at  # by us or by the hand that was first
    if not row.update(finished_at=at, outcome=outcome, error=error[:500]):
        return False
    changes, code = _aftermath(model, operation, outcome, error, at)
    if observed is not None:
        changes["observed"] = observed
    if not blame:
        changes = {field: value for field, value in changes.items() if not field.startswith("error_")}
    if not change_facts(model, changes, code=code, actor=SYSTEM, at=at, message=error):
        raise AssertionError("a locked model changed")
    return True


def _aftermath(
    model: RegisteredModel, operation: Operation, outcome: Outcome, error: str, at: datetime
) -> tuple[dict[str, Any], str]:
    """What an outcome makes of the model, and the code of the event."""
    if operation.kind == OperationKind.UNLOAD:
        return {}, "unloaded" if outcome == Outcome.SUCCEEDED else f"unload_{outcome}"
    if outcome == Outcome.CANCELLED:
        return {}, outcome
    if outcome == Outcome.SUCCEEDED:
        code = "recovered" if model.error_code else "ready"
        return {"error_code": "", "loaded_config_id": operation.config_id}, code
    failures = model.failures + 1
    code = ErrorCode.ACTIVATION_TIMEOUT if outcome == Outcome.TIMED_OUT else ErrorCode.LOAD_FAILED
    return {
        "failures": failures,
        "retry_at": at + timedelta(seconds=back_off_s(failures)),
        "error_code": code,
        "error_message": error[:500],
    }, code
