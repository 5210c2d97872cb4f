"""Bringing servers in line by hand: what `sync_triton` and the console's resync do."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from models_registry import gateways
from models_registry.facts import consequences
from models_registry.judge import judge
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import ProviderError
from models_registry.providers.gateway import TritonGateway
from models_registry.providers.observation import Observation
from models_registry.vocabulary import Observed
from models_registry.waking import wake
from models_registry.wanting import evaluate
from monitoring.beliefs import candidates_of, models_of, server_of
from monitoring.models import Operation, OperationKind
from monitoring.operations import last_on, running_on
from monitoring.reconcile import Round, answers, reconcile
from monitoring.rules.plan import plan
from monitoring.rules.values import Action, Drain, Load, Nothing, Plan, Unload, Wait

BRIEFLY_S = 5.0


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
    running = running_on(provider.pk)
    at = now()
    try:
        observation = gateway.observe()
        lines = tuple(_line(m, observation, gateway, running, at) for m in models)
    except ProviderError as error:
        return Report(provider.name, error.message, tuple(_silent(m) for m in models), "")
    return Report(provider.name, "", lines, _next_step(provider, models, observation, running, at))


def resync(provider: Provider, *, patience_s: float | None = None) -> Report:
    """Look and act until the server is at rest, waits only for leases, or `patience_s` is over.

    The default patience is the limit of one load.
    """
    for _round in rounds(provider, patience_s=settings.LOAD_LIMIT_S if patience_s is None else patience_s):
        pass
    return preview(provider)


def resync_briefly(provider: Provider) -> Report:
    """Do as much of a resync as somebody waits for, and leave the rest to the timer, which is woken for it."""
    report = resync(provider, patience_s=BRIEFLY_S)
    wake(provider.pk)
    return report


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


def _line(
    model: RegisteredModel,
    observation: Observation,
    gateway: TritonGateway,
    running: Operation | None,
    at: datetime,
) -> Line:
    """One model; its values (not its row) are brought up to date, as a look would do before it plans."""
    believed = str(model.observed)
    seen = observation.of(model.remote_name)
    _imagine(model, {"wanted": evaluate(model, at, early=True)}, at)
    if running is None or running.model_id != model.pk:
        _imagine(model, judge(model.belief, seen, answers=answers(model, seen, gateway)).changes, at)
    in_line = not model.error_code and model.wanted == (model.observed == Observed.READY)
    return Line(model.name, believed, str(seen.state), str(model.error_code), model.wanted, in_line)


def _imagine(model: RegisteredModel, changes: Mapping[str, Any], at: datetime) -> None:
    for field, value in {**consequences(model, changes, at), **changes}.items():
        setattr(model, field, value)


def _silent(model: RegisteredModel) -> Line:
    return Line(model.name, str(model.observed), "?", model.error_code, model.wanted, not model.wanted)


def _next_step(
    provider: Provider,
    models: list[RegisteredModel],
    observation: Observation,
    running: Operation | None,
    at: datetime,
) -> str:
    if running is not None:
        loads = running.kind == OperationKind.LOAD
        return (_("%(name)s is being loaded") if loads else _("%(name)s is being unloaded")) % {
            "name": running.model.name
        }
    candidates = candidates_of(models, at, last=last_on(provider.pk))
    decided: Plan = plan(server_of(provider, models, observation, at), candidates, at)
    return _told(decided.action, {m.pk: m.name for m in models})


def _told(action: Action, names: dict[int, str]) -> str:
    match action:
        case Load(model_id):
            return _("load %(name)s") % {"name": names[model_id]}
        case Unload(model_id, reload=True):
            return _("reload %(name)s") % {"name": names[model_id]}
        case Unload(model_id, None):
            return _("unload %(name)s") % {"name": names[model_id]}
        case Unload(model_id, int(for_model)):
            return _("unload %(name)s for %(other)s") % {"name": names[model_id], "other": names[for_model]}
        case Drain(model_id, for_model):
            return _("let %(name)s hand over to %(other)s") % {"name": names[model_id], "other": names[for_model]}
        case Wait(on):
            return _("wait for %(names)s") % {"names": ", ".join(on)}
    return ""
