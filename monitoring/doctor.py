"""What waits, on whom, since when and until when at most, and what a person can do. Asks the database only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from modelmanager.lib.encrypted_field import Unreadable
from models_registry.fit import why_it_never_fits
from models_registry.judge import GIVE_UP_AFTER
from models_registry.judge_api import ERRORS
from models_registry.models import Provider, RegisteredModel, Window
from models_registry.providers.errors import Outcome
from models_registry.vocabulary import ErrorCode, Observed, Policy, SwitchState
from models_registry.wanting import drain_s
from monitoring.models import Operation
from monitoring.readiness import checks
from usage.models import Binding, Lease, Ledger, RollupCheck

# Whatever is due is done within a poll; what is later than that waits for somebody who does not come.
GRACE = timedelta(seconds=settings.POLL_S)

ADVICE = {
    ErrorCode.MISSING: "put the model back into the server's repository, or delete its registration",
    ErrorCode.NOT_LOADED: "nothing: it is loaded again; if not, see its server",
    ErrorCode.LOAD_FAILED: "read the server's reason, mend the model, then activate it again",
    ErrorCode.ACTIVATION_TIMEOUT: "see who holds the GPU: deactivate that, or this",
    ErrorCode.PROVIDER_UNREACHABLE: "start the server, or correct its address",
    ErrorCode.CREDENTIAL_INVALID: "enter the provider's key again",
    ErrorCode.NOT_OFFERED: "correct the model's name at the provider, or delete its registration",
}


@dataclass(frozen=True)
class Finding:
    """One wait or fault. `owner` is who ends it; `deadline` when it ends at the latest, if anything says so."""

    subject: str
    what: str
    owner: str
    advice: str
    since: datetime | None = None
    deadline: datetime | None = None
    stuck: bool = False


def examine(at: datetime) -> list[Finding]:
    """Everything that waits or is broken, what is stuck first."""
    found = list(_installation())
    if any(finding.subject in ("database", "migrations") for finding in found):
        return found  # nothing else can be asked
    found += [*_usage(), *_servers(at), *_operations(at), *_models(at), *_windows(at), *_leases(at), *_counters()]
    return sorted(found, key=lambda finding: (not finding.stuck, finding.since or at))


def _installation() -> Iterator[Finding]:
    commands = {
        "worker": "start manage.py worker",
        "checks": "start manage.py worker",
        "migrations": "run manage.py migrate",
    }
    for name, state in checks().items():
        if state != "ok":
            yield Finding(name, state, "ops", commands.get(name, "see its log"), stuck=True)


def _usage() -> Iterator[Finding]:
    """Sums of usage that are not those of the records, or not of the installation's days."""
    for check in RollupCheck.objects.filter(differences__gt=0, repaired_at=None)[:10]:
        what = f"sums differ from the records: {check.detail}"
        advice = "run manage.py rebuild_rollups, and report this with the log of that time"
        yield Finding("usage", what, "ops", advice, check.started_at, stuck=True)
    ledger = Ledger.objects.first()
    if ledger is not None and not ledger.has_every_day_of(settings.TIME_ZONE):
        what = f"its days are those of {ledger.day_zone}, not all of {settings.TIME_ZONE}: statistics go by hours"
        yield Finding("usage", what, "ops", "run manage.py rebuild_rollups", stuck=True)


def _servers(at: datetime) -> Iterator[Finding]:
    for provider in Provider.objects.filter(enabled=True):
        if provider.health_state == "failing" and not provider.keys_are_unreadable:  # of which it tells below
            yield _failing(provider)
        if provider.wake_at is not None and provider.wake_at < at - GRACE:
            what = "waits to be looked at"
            yield Finding(
                provider.name, what, "worker", "start manage.py worker", provider.wake_at, provider.wake_at, stuck=True
            )
        if provider.memory_awaited_mb is not None:
            what = (
                f"GPU memory of an unloaded model did not come back (more than {provider.memory_awaited_mb} MB in use)"
            )
            advice = "restart the server, or let loading go on from its page in the console"
            yield Finding(provider.name, what, "operator", advice, provider.memory_held_since, stuck=True)
        if any(isinstance(key, Unreadable) for key in (provider.api_key, provider.api_key_2)):
            yield Finding(provider.name, "its key cannot be read", "operator", "enter the key again", stuck=True)


def _failing(provider: Provider) -> Finding:
    if provider.is_triton:
        what = f"does not answer ({provider.health_error})"
        advice = ADVICE[ErrorCode.PROVIDER_UNREACHABLE]
        return Finding(provider.name, what, "ops", advice, provider.checked_at, stuck=True)
    error = ERRORS.get(Outcome(provider.health_code), ErrorCode.PROVIDER_UNREACHABLE)
    advice = ADVICE[error] if error == ErrorCode.CREDENTIAL_INVALID else "see the provider's status, or correct its URL"
    flaps = f", after {provider.flaps} falls" if provider.flaps > 1 else ""
    what = f"fails its checks{flaps} ({provider.health_error})"
    return Finding(provider.name, what, "operator", advice, provider.health_since, stuck=True)


def _operations(at: datetime) -> Iterator[Finding]:
    for operation in Operation.objects.filter(finished_at=None).select_related("provider", "model"):
        state = "is running" if operation.posted_at else "is to be posted"
        what = f"{operation.kind} of {operation.model.name} {state}"
        stuck = at > operation.deadline_at + GRACE
        owner, remedy = _hand_of(operation.provider)
        advice = remedy if stuck else "nothing: it is watched"
        yield Finding(operation.provider.name, what, owner, advice, operation.started_at, operation.deadline_at, stuck)


def _hand_of(server: Provider) -> tuple[str, str]:
    """Who does what is due on a server, and what to do when that is late; on a disabled one nothing is done."""
    if server.enabled:
        return "worker", "start manage.py worker, or run manage.py sync_triton"
    return "operator", f"enable {server.name}: on a disabled server nothing is done"


def _models(at: datetime) -> Iterator[Finding]:
    for model in RegisteredModel.objects.select_related("provider", "window").filter(
        Q(queued_at__isnull=False) | Q(drain_until__isnull=False) | ~Q(error_code="")
    ):
        if model.error_code:
            yield _error(model, at)
        elif model.queued_at is not None:
            yield _queued(model, at)
        if model.drain_until is not None:
            yield _draining(model, at)


def _error(model: RegisteredModel, at: datetime) -> Finding:
    what = f"{model.error_code}: {model.error_message}" if model.error_message else str(model.error_code)
    trying, holders = _is_tried_again(model, at), _holders(model)
    again = f"nothing: it is tried again{' once there is room' if holders else ''} (failures so far: {model.failures})"
    return Finding(
        model.name,
        what,
        holders or "worker" if trying else "operator",
        again if trying else ADVICE[ErrorCode(model.error_code)],
        model.error_since,
        model.retry_at if trying else None,
        stuck=model.wanted and not trying,
    )


def _is_tried_again(model: RegisteredModel, at: datetime) -> bool:
    """Whether the worker loads it again by itself: soon, or as soon as there is room."""
    if model.failures >= GIVE_UP_AFTER or not model.provider.enabled:
        return False
    due = model.retry_at or (model.error_since if model.error_code == ErrorCode.NOT_LOADED else None)
    return due is not None and (due >= at - GRACE or bool(_holders(model)))


def _holders(model: RegisteredModel) -> str:
    return ", ".join((model.waiting or {}).get("for") or [])


def _queued(model: RegisteredModel, at: datetime) -> Finding:
    return _never_loaded(model) or _in_the_queue(model, at)


def _never_loaded(model: RegisteredModel) -> Finding | None:
    """A wait that only a person can end."""
    server, size_mb = model.provider, model.size_mb
    if not server.enabled:
        what, advice = f"waits for {server.name}, which is disabled", "enable the server, or deactivate the model"
    elif why_it_never_fits(size_mb, server_mb=server.gpu_memory_mb):
        what = f"can never fit: {size_mb or 'unknown'} MB on {server.name} of {server.gpu_memory_mb} MB"
        advice = "correct the sizes, or deactivate the model"
    else:
        return None
    return Finding(model.name, what, "operator", advice, model.queued_at, stuck=True)


def _in_the_queue(model: RegisteredModel, at: datetime) -> Finding:
    holders, position = _holders(model), (model.waiting or {}).get("queue_position")
    what = "is being loaded" if position == 0 else "waits for room" + (f", number {position}" if position else "")
    what = what if model.on_gpu else "waits for a check of its provider"
    assert model.queued_at is not None  # noqa: S101
    deadline = model.queued_at + timedelta(seconds=settings.QUEUE_LIMIT_S)
    return Finding(
        model.name,
        what,
        holders or model.provider.name,
        f"wait, or deactivate {holders}" if holders else "nothing: it is on its way",
        model.queued_at,
        deadline,
        stuck=at > deadline + GRACE,
    )


def _draining(model: RegisteredModel, at: datetime) -> Finding:
    assert model.drain_until is not None  # noqa: S101
    late = at > model.drain_until + GRACE
    since = min(at, model.drain_until - timedelta(seconds=drain_s(model)))
    if not model.open_leases and model.observed == Observed.READY and model.failures:
        what = f"cannot be unloaded (failures so far: {model.failures})"
        advice = "see its server, or restart it" if late else "nothing: it is tried again"
        return Finding(model.name, what, "worker", advice, since, model.retry_at, stuck=late)
    what = f"drains {model.open_leases} open leases" + (" before it is unloaded" if model.on_gpu else "")
    owner, remedy = _hand_of(model.provider)
    advice = remedy if late else "nothing: they are revoked then"
    return Finding(model.name, what, owner if late else "clients", advice, since, model.drain_until, stuck=late)


def _windows(at: datetime) -> Iterator[Finding]:
    """Windows whose last opening has passed, while models wait for the next one."""
    followed = Q(
        models__deleted_at=None, models__activation_policy=Policy.SCHEDULED, models__switch_state=SwitchState.AUTO
    )
    for window in Window.objects.filter(followed).distinct():
        if not window.hours.contains(at) and window.hours.next_opening(at) is None:
            advice = "give it hours, or its models another policy"
            yield Finding(window.name, "never opens again; its models stay off", "operator", advice, stuck=True)


def _leases(at: datetime) -> Iterator[Finding]:
    late = Lease.objects.filter(closed_at=None, expires_at__lt=at - GRACE).select_related("model", "client")[:100]
    for lease in late:
        what = f"lease {lease.pk} of {lease.client} has expired and is still open"
        yield Finding(
            lease.model.name, what, "worker", "start manage.py worker", lease.granted_at, lease.expires_at, stuck=True
        )


def _counters() -> Iterator[Finding]:
    """Counters that do not equal their rows: they never should, and only a person may say why."""
    leased, bound = _rows_of(Lease.objects.filter(closed_at=None)), _rows_of(Binding.objects.all())
    counted = Q(open_leases__gt=0) | Q(bindings__gt=0) | Q(pk__in=[*leased, *bound])
    for model in RegisteredModel.all_objects.filter(counted):
        told, found = (model.open_leases, model.bindings), (leased.get(model.pk, 0), bound.get(model.pk, 0))
        if told != found:
            what = f"counts {told[0]} leases and {told[1]} bindings; there are {found[0]} and {found[1]}"
            yield Finding(model.name, what, "developer", "report this with the log of that time", stuck=True)


def _rows_of(rows: QuerySet[Any]) -> dict[int, int]:
    """How many of the rows each model has."""
    return dict(rows.values_list("model").annotate(number=Count("pk")).order_by())
