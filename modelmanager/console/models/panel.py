"""What the page of a model tells beside its form, and keeps telling while something is under way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelmanager.console import words
from modelmanager.console.progress import Progress, progress
from modelmanager.lib.clock import now
from models_registry.models import RegisteredModel
from models_registry.vocabulary import Observed
from monitoring.models import Operation
from monitoring.operations import running_on

SHOWN = 10
BUSY_S, CALM_S = 2, 15


@dataclass(frozen=True)
class Panel:
    """One model now."""

    model: RegisteredModel
    at: datetime
    running: Progress | None

    @property
    def waits(self) -> str:
        return words.why_it_waits(self.model, self.at)

    @property
    def error(self) -> str:
        return words.error_text(self.model) if self.model.error_code else ""

    @property
    def next_step(self) -> str:
        return words.next_step(self.model)

    @property
    def switch(self) -> str:
        return words.switch_text(self.model, self.at)

    @property
    def under_way(self) -> bool:
        """Whether something about it changes by itself soon."""
        moving = self.model.observed in (Observed.LOADING, Observed.UNLOADING)
        return bool(moving or self.running or self.model.queued_at or self.model.drain_until)

    @property
    def refresh_s(self) -> int:
        return BUSY_S if self.under_way else CALM_S


def panel(model_id: int) -> Panel:
    """The model as it is stored now, with what runs for it. Asks no server."""
    at = now()
    model = RegisteredModel.all_objects.select_related("provider", "window", "config", "loaded_config").get(pk=model_id)
    operation = running_on(model.provider_id)
    ours = operation is not None and operation.model_id == model.pk
    return Panel(model, at, progress(operation, at) if operation is not None and ours else None)


def records(model: RegisteredModel) -> dict[str, Any]:
    """Who uses the model, and what happened to it lately."""
    events = [
        (event, words.event_label(event.code), words.event_message(event)) for event in model.events.all()[:SHOWN]
    ]
    return {
        "leases": model.leases.filter(closed_at__isnull=True).select_related("client")[:SHOWN],
        "bindings": model.binding_rows.select_related("client")[:SHOWN],
        "events": events,
        "operations": Operation.objects.filter(model=model)[:SHOWN],
    }
