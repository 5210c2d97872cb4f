"""GPU memory by the server's own metrics: how much a model really takes, and whether an unload gave it back.

A server without such metrics tells nothing here, and nothing is asked of it then.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from modelmanager.lib.clock import now
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.gateway import TritonGateway
from models_registry.waking import wake
from monitoring.models import Operation, OperationKind, Outcome

# Triton renews its GPU figures every two seconds (`--metrics-interval-ms`).
SETTLES = timedelta(seconds=settings.METRICS_SETTLE_S)
# A figure that is older says more about what others did since.
TELLS_FOR = timedelta(seconds=30)
LOOK_AGAIN = timedelta(seconds=5)
# What must come back: allocators keep a little, and a context stays once it is made.
SHARE_BACK = 0.8


def used_mb(gateway: TritonGateway) -> int | None:
    """GPU memory in use now; None where the server does not tell."""
    memory = gateway.gpu_memory()
    return None if memory is None else memory.used_mb


def learn(last: Operation | None, gateway: TritonGateway, at: datetime) -> None:
    """Keep what the last load took, once the server's figures have settled; at most once a load."""
    if last is None or last.finished_at is None or not _tells(last):
        return
    is_time = last.finished_at + SETTLES <= at <= last.finished_at + TELLS_FOR
    if not is_time or not _is_alone(last) or (used := used_mb(gateway)) is None:
        return
    footprint = used - (last.memory_before_mb or 0)
    if Operation.objects.filter(pk=last.pk, memory_after_mb=None).update(memory_after_mb=used) and footprint > 0:
        RegisteredModel.all_objects.filter(pk=last.model_id).update(measured_memory_mb=footprint)


def look_again_at(last: Operation | None, provider: Provider | None, at: datetime) -> datetime | None:
    """When these figures want another look."""
    if provider is not None and provider.memory_awaited_mb is not None:
        return at + LOOK_AGAIN
    if last is not None and last.finished_at is not None and _tells(last) and at < last.finished_at + SETTLES:
        return last.finished_at + SETTLES
    return None


def is_back(operation: Operation, gateway: TritonGateway) -> bool:
    """Whether an unload gave back most of what its model is known to take; True where nothing is known."""
    awaited = _awaited_mb(operation)
    if awaited is None or (used := used_mb(gateway)) is None:
        return True
    return used <= awaited


def hold(operation: Operation, *, at: datetime) -> None:
    """Load nothing on this server until the memory is back, or a person lets it go."""
    rows = Provider.objects.filter(pk=operation.provider_id, memory_awaited_mb=None)
    rows.update(memory_awaited_mb=_awaited_mb(operation), memory_held_since=at)


def let_go(provider: Provider, gateway: TritonGateway) -> None:
    """End the hold once the memory is back."""
    if provider.memory_awaited_mb is None:
        return
    used = used_mb(gateway)
    if used is not None and used <= provider.memory_awaited_mb:
        _let_go(provider)


def acknowledge(provider: Provider) -> None:
    """A person says that loading may go on, whatever the figures tell; the server is looked at at once."""
    _let_go(provider)
    wake(provider.pk)


def _let_go(provider: Provider) -> None:
    Provider.all_objects.filter(pk=provider.pk).update(memory_awaited_mb=None, memory_held_since=None)
    provider.memory_awaited_mb = provider.memory_held_since = None


def _awaited_mb(operation: Operation) -> int | None:
    """How little must be in use after an unload; None where its model's footprint or the figure before is unknown."""
    footprint = operation.model.measured_memory_mb
    if operation.kind != OperationKind.UNLOAD or operation.memory_before_mb is None or footprint is None:
        return None
    return max(0, operation.memory_before_mb - round(SHARE_BACK * footprint))


def _tells(operation: Operation) -> bool:
    """Whether it was a load of which the figure before is known, and the one after not yet."""
    return (
        operation.kind == OperationKind.LOAD
        and operation.outcome == Outcome.SUCCEEDED
        and operation.memory_before_mb is not None
        and operation.memory_after_mb is None
    )


def _is_alone(operation: Operation) -> bool:
    """Whether the figure before the load had settled: nothing else changed it just before the load was posted.

    An unload does not count whose memory was seen to come back.
    """
    posted_at = operation.posted_at or now()
    just_before = Q(finished_at__gt=posted_at - SETTLES, finished_at__lte=posted_at)
    seen_back = Q(kind=OperationKind.UNLOAD, memory_before_mb__isnull=False, model__measured_memory_mb__isnull=False)
    others = Operation.objects.filter(just_before, provider=operation.provider_id, pk__lt=operation.pk)
    return not others.exclude(seen_back).exists()
