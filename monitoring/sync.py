"""Bringing servers in line by hand: what `sync_triton` and the console's resync do."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from modelmanager.lib.clock import now
from models_registry import gateways
from models_registry.judge import Belief, judge
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import ProviderError
from models_registry.providers.gateway import TritonGateway
from models_registry.providers.observation import Observation, RemoteState
from models_registry.vocabulary import Observed
from monitoring.beliefs import candidates_of, models_of, server_of
from monitoring.operations import running_on
from monitoring.reconcile import Round, reconcile
from monitoring.rules.plan import Action, Load, Nothing, Plan, Unload, Wait, plan


@dataclass(frozen=True)
class Line:
    """One model: what was believed, what its server says, and whether it is as wanted."""

    model: str
    believed: str
    says: str
    error: str
    wanted: bool
    in_line: bool


@dataclass(frozen=True)
class Report:
    """One server after (or, on a dry run, before) bringing it in line."""

    provider: str
    error: str
    lines: tuple[Line, ...]
    next_step: str

    @property
    def in_line(self) -> bool:
        return not self.error and all(line.in_line for line in self.lines)


def preview(provider: Provider) -> Report:
    """What a resync would find and do first; nothing is written and nothing posted."""
    models = models_of(provider)
    gateway = gateways.triton(provider)
    try:
        observation = gateway.observe()
    except ProviderError as error:
        return Report(provider.name, error.message, tuple(_silent(m) for m in models), "")
    lines = tuple(_line(m, observation, gateway) for m in models)
    return Report(provider.name, "", lines, _next_step(provider, models, observation))


def resync(provider: Provider, *, patience_s: float | None = None) -> Report:
    """Look and act until the server is at rest, waits only for leases, or `patience_s` is over.

    The default patience is the limit of one load.
    """
    for _round in rounds(provider, patience_s=settings.LOAD_LIMIT_S if patience_s is None else patience_s):
        pass
    return preview(provider)


def rounds(provider: Provider, *, patience_s: float) -> Iterator[Round]:
    """Reconcile again and again, for whoever wants to tell the progress."""
    ends = time.monotonic() + patience_s
    while True:
        found = reconcile(provider.pk)
        yield found
        at_rest = found.operation is None and isinstance(found.plan.action, Nothing)
        if at_rest or not found.answered or time.monotonic() >= ends:
            return
        time.sleep(settings.TICK_S)


def _line(model: RegisteredModel, observation: Observation, gateway: TritonGateway) -> Line:
    seen = observation.of(model.remote_name)
    still_ready = seen.state == RemoteState.ABSENT and gateway.is_ready(model.remote_name, model.remote_version)
    verdict = judge(Belief(model.wanted, Observed(model.observed), model.error_code), seen, still_ready=still_ready)
    observed = str(verdict.changes.get("observed", model.observed))
    error = str(verdict.changes.get("error_code", model.error_code))
    in_line = not error and model.wanted == (observed == Observed.READY)
    return Line(model.name, str(model.observed), str(seen.state), error, model.wanted, in_line)


def _silent(model: RegisteredModel) -> Line:
    return Line(model.name, str(model.observed), "?", model.error_code, model.wanted, not model.wanted)


def _next_step(provider: Provider, models: list[RegisteredModel], observation: Observation) -> str:
    running = running_on(provider.pk)
    if running is not None:
        return f"{running.kind} of {running.model.name} is running"
    at = now()
    decided: Plan = plan(server_of(provider, models, observation), candidates_of(models, at), at)
    return _told(decided.action, {m.pk: m.name for m in models})


def _told(action: Action, names: dict[int, str]) -> str:
    match action:
        case Load(model_id):
            return f"load {names[model_id]}"
        case Unload(model_id, for_model):
            return f"unload {names[model_id]}" + (f" for {names[for_model]}" if for_model else "")
        case Wait(on):
            return f"wait for {', '.join(on)}"
    return ""
