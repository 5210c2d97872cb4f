"""What a policy made of a trace, in figures; and several policies on the same trace."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report import percentile
from benchmarks.simulation.ours import Ours, Settings
from benchmarks.simulation.policies import Fifo, LooksAhead, Lru
from benchmarks.simulation.world import Gpu, Model, Policy, Request, World

POLICIES = ("ours", "FIFO", "LRU", "looks ahead")


@dataclass(frozen=True)
class Result:
    """Waits in seconds; `lost_s` is the time in which the GPU was loading or unloading, `share` that of all time."""

    policy: str
    requests: int
    swaps: int
    lost_s: float
    share: float
    mean_s: float
    p95_s: float
    worst_s: float
    revoked: int
    late: int  # requests that waited longer than was promised, where something is

    @classmethod
    def of(cls, name: str, world: World, promised: dict[Request, float]) -> "Result":
        """The figures of a world that has run to its end."""
        waits = [served.wait_s for served in world.served]
        lost = sum(o.ends_at - o.began_at for o in world.operations)
        late = [s for s in world.served if s.request in promised and s.wait_s > promised[s.request] + 0.001]
        return cls(
            policy=name,
            requests=len(waits),
            swaps=sum(o.kind == "load" for o in world.operations),
            lost_s=lost,
            share=lost / world.at,
            mean_s=sum(waits) / len(waits),
            p95_s=percentile(waits, 0.95),
            worst_s=max(waits),
            revoked=world.revoked,
            late=len(late),
        )


def simulate(name: str, models: Sequence[Model], gpu: Gpu, trace: Sequence[Request], settings: Settings) -> World:
    """The world after the named policy has served the whole trace."""
    return _run(_policy(name, trace, settings), models, gpu, trace)


def compare(
    models: Sequence[Model], gpu: Gpu, trace: Sequence[Request], settings: Settings | None = None
) -> dict[str, Result]:
    """Each policy on this trace, by name; nobody can look ahead where clients ask once they have been served."""
    found = {}
    for name in POLICIES[:3] if any(request.then for request in trace) else POLICIES:
        policy = _policy(name, trace, settings or Settings())
        world = _run(policy, models, gpu, trace)
        found[name] = Result.of(name, world, policy.promised if isinstance(policy, Ours) else {})
    return found


def _run(policy: Policy, models: Sequence[Model], gpu: Gpu, trace: Sequence[Request]) -> World:
    world = World({model.name: model for model in models}, gpu)
    world.run(trace, policy)
    return world


def _policy(name: str, trace: Sequence[Request], settings: Settings) -> Policy:
    match name:
        case "ours":
            return Ours(settings)
        case "FIFO":
            return Fifo()
        case "LRU":
            return Lru()
        case _:
            return LooksAhead(trace, hand_over_after_s=settings.hand_over_after_s, drain_s=settings.drain_s)
