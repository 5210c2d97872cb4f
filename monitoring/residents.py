"""What occupies a server now. Asks the server; changes nothing."""

from dataclasses import dataclass
from datetime import datetime

from models_registry import gateways
from models_registry.models import Provider
from models_registry.providers.errors import ProviderError
from monitoring.beliefs import models_of
from monitoring.models import Operation
from monitoring.operations import running_on


@dataclass(frozen=True)
class Resident:
    """A model on the GPU; `registered_as` is None for one that nobody registered."""

    remote_name: str
    state: str
    registered_as: str | None
    gpu_memory_mb: int | None
    measured_memory_mb: int | None
    open_leases: int

    @property
    def size_mb(self) -> int | None:
        """What is counted for it: the larger of declared and measured."""
        return max((mb for mb in (self.gpu_memory_mb, self.measured_memory_mb) if mb is not None), default=None)


@dataclass(frozen=True)
class Queued:
    """A model that waits to be loaded."""

    model: str
    since: datetime
    queue_position: int | None


@dataclass(frozen=True)
class Occupancy:
    """A GPU: who is on it, who waits for it, and the operation that runs."""

    residents: list[Resident]
    queue: list[Queued]
    operation: Operation | None
    gpu_memory_mb: int | None
    used_memory_mb: int
    memory_held_since: datetime | None
    max_loaded_models: int | None


NO_GPU = Occupancy(
    residents=[],
    queue=[],
    operation=None,
    gpu_memory_mb=None,
    used_memory_mb=0,
    memory_held_since=None,
    max_loaded_models=None,
)


def occupancy(provider: Provider) -> Occupancy:
    """Who is on the server's GPU, by its own word; nobody where there is none of ours. Raises ProviderUnreachable."""
    gateways.refuse_disabled(provider)
    if not provider.is_triton:
        return NO_GPU
    models = models_of(provider)
    ours = {m.remote_name: m for m in models}
    try:
        seen = gateways.triton(provider).observe()
    except ProviderError as error:
        raise gateways.unreachable(provider, error) from error
    residents = []
    for name in seen.resident():
        model = ours.get(name)
        state = seen.of(name).state.value
        residents.append(
            Resident(name, state, model.name, model.gpu_memory_mb, model.measured_memory_mb, model.open_leases)
            if model
            else Resident(name, state, None, None, None, 0)
        )
    queue = [Queued(m.name, m.queued_at, (m.waiting or {}).get("queue_position")) for m in models if m.queued_at]
    queue.sort(key=lambda q: (q.queue_position is None, q.queue_position, q.since))
    return Occupancy(
        residents=residents,
        queue=queue,
        operation=running_on(provider.pk),
        gpu_memory_mb=provider.gpu_memory_mb,
        used_memory_mb=sum(r.size_mb or 0 for r in residents),
        memory_held_since=provider.memory_held_since,
        max_loaded_models=provider.max_loaded_models,
    )
