"""Reading what a Triton server counts of its models' calls: at each poll, and before it is told to unload one."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from django.db.models import OuterRef, Subquery

from modelmanager.lib.clock import now
from models_registry import gateways
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.counters import Counters
from models_registry.providers.errors import ProviderError
from models_registry.providers.gateway import TritonGateway
from monitoring.models import Operation, OperationKind
from usage.models import ServedCount
from usage.rules.served import Count
from usage.services.served import first_reading, note_reading


def read(provider_id: int) -> None:
    """Note what a server has counted of all its registered models; a server that does not answer is passed over."""
    provider = Provider.objects.filter(pk=provider_id, enabled=True).first()
    if provider is not None:
        _read(RegisteredModel.objects.filter(provider=provider), gateways.triton(provider))


def read_before_unload(model: RegisteredModel, gateway: TritonGateway) -> None:
    """Note what would be lost with the model, whose counters end with it."""
    _read([model], gateway)


def _read(models: Iterable[RegisteredModel], gateway: TritonGateway) -> None:
    with suppress(ProviderError):
        counted, at = gateway.counters(), now()
        known = ServedCount.objects.in_bulk([model.pk for model in models])
        loads = _last_loads(models)
        for model in models:
            _note(model, _of(model, counted), known.get(model.pk), loads.get(model.pk), at)


def _note(
    model: RegisteredModel,
    counters: Iterable[Counters],
    before: ServedCount | None,
    loaded_at: datetime | None,
    at: datetime,
) -> None:
    versions = list(counters)
    total = Count(sum(one.succeeded for one in versions), sum(one.failed for one in versions))
    if before is None:
        if not versions:
            return
        # Loaded by us: it has counted from zero since. Loaded by others: we look on from here.
        before = first_reading(model.pk, Count() if loaded_at else total, at=loaded_at or at)
    note_reading(
        model.pk,
        total,
        before=before,
        loaded_anew=loaded_at is not None and loaded_at > before.read_at,
        last_at=max((one.last_at for one in versions if one.last_at), default=None),
        at=at,
    )


def _of(model: RegisteredModel, counted: Iterable[Counters]) -> Iterable[Counters]:
    """What was counted of the model: of its version where it names one, else of all."""
    named = (one for one in counted if one.name == model.remote_name)
    return [one for one in named if model.remote_version in ("", one.version)]


def _last_loads(models: Iterable[RegisteredModel]) -> Mapping[int, datetime]:
    """When each model was last told to load."""
    # Of each the newest by the index, however many loads it has been through.
    loads = Operation.objects.filter(model=OuterRef("pk"), kind=OperationKind.LOAD, posted_at__isnull=False)
    rows = RegisteredModel.all_objects.filter(pk__in=[model.pk for model in models])
    told = rows.order_by().annotate(loaded_at=Subquery(loads.order_by("-id").values("posted_at")[:1]))
    return dict(told.exclude(loaded_at=None).values_list("pk", "loaded_at"))
