"""Operations: claim, post once, watch, record.

An operation is the lock of its server (`running_on` is unique). Nobody owns one: posting is won by
compare-and-set on `posted_at`, the outcome by compare-and-set on `finished_at`, so whichever process
looks next carries it on, and one that was killed is missed by nobody.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, Subquery

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying_transaction
from models_registry import in_force
from models_registry.facts import change_facts
from models_registry.models import RegisteredModel
from models_registry.providers.errors import ProviderError, ProviderRefused
from models_registry.providers.gateway import TritonGateway
from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.vocabulary import SYSTEM, Observed, SwitchState
from models_registry.wanted import Switch
from models_registry.wanting import evaluate
from monitoring import footprints, served, server_configs
from monitoring.models import Operation, OperationKind, Outcome
from monitoring.outcomes import finish
from monitoring.rules.follow import MEMORY_KEPT, Step, follow
from monitoring.rules.reload import is_reloading


def running_on(provider_id: int) -> Operation | None:
    """The unfinished operation of a server, with its model."""
    return Operation.objects.select_related("model__provider", "config").filter(running_on=provider_id).first()


def last_on(provider_id: int) -> Operation | None:
    """The newest operation of a server, with its model; the only one that may be unfinished."""
    # Found by the index alone: MariaDB would begin with the model, and join and sort all that it has been through.
    newest = Operation.objects.filter(provider=provider_id).values("pk")[:1]
    return Operation.objects.select_related("model__provider", "config").filter(pk=Subquery(newest)).first()


@retrying_transaction
def claim_load(
    model: RegisteredModel, *, seen: RemoteModel, after: int | None = None, at: datetime
) -> Operation | None:
    """Begin to load a model; `after` is the id of the server's newest operation when that was planned (0: none).

    As part of a reload: if this load fails, the version that it was loaded with before comes back.
    None when the model moved on, or the server has had another operation since: the room may be taken.
    """
    config_id = server_configs.version_to_load(model)
    loading = {"observed": Observed.LOADING, "loaded_config_id": config_id}
    if not change_facts(model, loading, code="loading", actor=SYSTEM, at=at):
        return None
    deadline = at + timedelta(seconds=settings.LOAD_LIMIT_S)
    versions = {"config_id": config_id, "replaces_id": _replaced(model)}
    return _insert(
        model, OperationKind.LOAD, versions, after=after, deadline=deadline, reason_before=seen.reason, at=at
    )


def _replaced(model: RegisteredModel) -> int | None:
    """The version that the model's reload, which has not ended well yet, put the current one in the place of.

    By the model's own operations: others of its server may have come in between.
    """
    last = Operation.objects.filter(model=model).first()
    if last is None or not is_reloading(last.kind, last.outcome, replaces=last.replaces_id):
        return None
    return last.replaces_id


@retrying_transaction
def claim_unload(
    model: RegisteredModel, *, evicted_for: str = "", reload: bool = False, after: int | None = None, at: datetime
) -> Operation | None:
    """Begin to unload a model that has no lease; a victim's switch goes from on back to automatic.

    With `reload` it is to be loaded anew, with its current version.
    None when it was leased or changed meanwhile, or the server has had another operation since `after`.
    """
    changes: dict[str, Any] = {"observed": Observed.UNLOADING}
    if evicted_for:
        changes |= _gives_way(model, at)
    code, message = ("evicted", f"for {evicted_for}") if evicted_for else ("reloading" if reload else "unloading", "")
    versions = {"replaces_id": in_force.to_go_back_to(model) if reload else None}
    idle = Q(open_leases=0)
    if not change_facts(model, changes, code=code, message=message, actor=SYSTEM, at=at, only_if=idle):
        return None
    deadline = at + timedelta(seconds=settings.UNLOAD_LIMIT_S)
    return _insert(model, OperationKind.UNLOAD, versions, after=after, deadline=deadline, reason_before="", at=at)


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
    model: RegisteredModel,
    kind: OperationKind,
    versions: dict[str, int | None],
    *,
    after: int | None,
    deadline: datetime,
    reason_before: str,
    at: datetime,
) -> Operation | None:
    operation = Operation(
        provider_id=model.provider_id,
        model=model,
        kind=kind,
        requested_by=_asker(model),
        started_at=at,
        deadline_at=deadline,
        reason_before=reason_before,
        **versions,
    )
    try:
        with transaction.atomic():
            operation.save(force_insert=True)
    except IntegrityError:
        transaction.set_rollback(True)  # the model's change goes too: another operation is running
        return None
    # From here on ours is the one operation; what ran to its end since the plan was made is visible.
    others = Operation.objects.filter(provider=model.provider_id).exclude(pk=operation.pk)
    if after is not None and others.filter(pk__gt=after).exists():
        transaction.set_rollback(True)
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
    step = _follow(operation, seen, ready=ready, memory_back=footprints.is_back(operation, gateway))
    if step.error == MEMORY_KEPT:  # held before the lock ends: nobody plans a load in between
        footprints.hold(operation, at=now())
    _take(operation, step, now())


def withdraw(operation: Operation) -> None:
    """Take back an operation that nobody has posted; the next plan decides anew."""
    finish(operation, Outcome.CANCELLED, at=now(), observed=_left_by_failure(operation))


def pass_over(operation: Operation) -> None:
    """The server did not answer: end an operation whose deadline has passed, and count no silence as an answer."""
    at = now()
    if at < operation.deadline_at:
        _take(operation, Step(busy_seen=operation.busy_seen), at)
    elif operation.posted_at is None:
        withdraw(operation)
    else:
        _take(operation, Step(Outcome.TIMED_OUT, "the server did not answer"), at)


def _post(operation: Operation, gateway: TritonGateway) -> None:
    """Send the request if nobody has, and read what can be read from its answer."""
    at = now()
    if operation.kind == OperationKind.LOAD and not RegisteredModel.objects.filter(pk=operation.model_id, wanted=True):
        withdraw(operation)
        return
    if operation.kind == OperationKind.UNLOAD:
        served.read_before_unload(operation.model, gateway)
    limit_s = settings.LOAD_LIMIT_S if operation.kind == OperationKind.LOAD else settings.UNLOAD_LIMIT_S
    mine = Operation.objects.filter(pk=operation.pk, posted_at__isnull=True, finished_at__isnull=True)
    posting = {"posted_at": at, "deadline_at": at + timedelta(seconds=limit_s)}
    if not retrying_transaction(mine.update)(**posting, memory_before_mb=footprints.used_mb(gateway)):
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
        return gateway.post_load(operation.model.remote_name, config=server_configs.override(operation))
    gateway.post_unload(operation.model.remote_name)
    return False


def _is_ready(operation: Operation, gateway: TritonGateway) -> bool:
    return gateway.is_ready(operation.model.remote_name, operation.model.remote_version)


def _left_by_failure(operation: Operation) -> Observed:
    return Observed.UNLOADED if operation.kind == OperationKind.LOAD else Observed.READY


def _follow(operation: Operation, seen: RemoteModel, *, ready: bool, memory_back: bool) -> Step:
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
        memory_back=memory_back,
        version=operation.model.remote_version,
    )


def _take(operation: Operation, step: Step, at: datetime) -> None:
    if step.outcome is not None:
        finish(operation, step.outcome, at=at, observed=step.observed, error=step.error)
    elif (step.busy_seen, step.quiet_since) != (operation.busy_seen, operation.quiet_since):
        row = Operation.objects.filter(pk=operation.pk, finished_at__isnull=True)
        row.update(busy_seen=step.busy_seen, quiet_since=step.quiet_since)
