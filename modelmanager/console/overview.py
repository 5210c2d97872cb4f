"""The first page: every server's GPU, who waits for it, what is wrong, what happened. Asks no server."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from modelmanager.console import words
from modelmanager.console.badges import STATUS_LOOK
from modelmanager.console.progress import Progress, progress
from modelmanager.console.usage.today import today
from modelmanager.lib.clock import now
from models_registry.models import Provider, RegisteredModel, StatusEvent
from models_registry.vocabulary import RESIDENT, ProviderKind, Status
from monitoring.models import Operation
from usage.models import Client

SHOWN = 12
MOST = 500  # residents, and waiters: more is no overview
SEEN = ("models_registry.view_registeredmodel", "models_registry.view_provider")


@dataclass
class Server:
    """One Triton server, as far as the rows tell."""

    provider: Provider
    residents: list[RegisteredModel] = field(default_factory=list)
    queue: list[tuple[RegisteredModel, str]] = field(default_factory=list)
    running: Progress | None = None

    @property
    def used_mb(self) -> int:
        return sum(model.size_mb or 0 for model in self.residents)

    @property
    def free_mb(self) -> int | None:
        total = self.provider.gpu_memory_mb
        return None if total is None else max(total - self.used_mb, 0)

    @property
    def parts(self) -> list[tuple[RegisteredModel, float]]:
        """The residents with their share of the memory (of the places, where no memory is declared), in percent."""
        total = self.provider.gpu_memory_mb
        if total is None:
            places = self.provider.max_loaded_models or len(self.residents) or 1
            return [(model, 100 / places) for model in self.residents]
        return [(model, 100 * (model.size_mb or 0) / total) for model in self.residents]


def servers(at: datetime) -> list[Server]:
    """The Triton servers with their residents, queue and running operation: four queries, however many."""
    found = {p.pk: Server(p) for p in Provider.objects.filter(kind=ProviderKind.TRITON).order_by("name")}
    rows = RegisteredModel.objects.filter(provider__in=found)
    for model in rows.filter(observed__in=RESIDENT).order_by("name")[:MOST]:
        found[model.provider_id].residents.append(model)
    for server, waiting in _queues(rows, found).items():
        found[server].queue = [(model, words.why_it_waits(model, at)) for model in waiting]
    for operation in Operation.objects.filter(running_on__in=found).select_related("model"):
        found[operation.provider_id].running = progress(operation, at)
    return list(found.values())


def api_providers() -> list[tuple[Provider, int, int]]:
    """Providers of APIs, each with the number of its models and of those that are in error."""
    live = Q(models__deleted_at__isnull=True)
    counted = Provider.objects.exclude(kind=ProviderKind.TRITON).annotate(
        of_models=Count("models", filter=live), of_errors=Count("models", filter=live & Q(models__status=Status.ERROR))
    )
    return [(provider, provider.of_models, provider.of_errors) for provider in counted.order_by("name")[:MOST]]


def _queues(rows: Any, found: dict[int, Server]) -> dict[int, list[RegisteredModel]]:
    """Who waits at each server, the next one first; the one being loaded is shown as the operation."""
    queues: dict[int, list[RegisteredModel]] = defaultdict(list)
    for model in rows.filter(queued_at__isnull=False).exclude(observed__in=RESIDENT).order_by("queued_at")[:MOST]:
        model.provider = found[model.provider_id].provider
        queues[model.provider_id].append(model)
    for waiting in queues.values():
        waiting.sort(key=lambda model: (model.waiting or {}).get("queue_position") or 10**6)
    return queues


def overview(request: HttpRequest) -> dict[str, Any]:
    """What the page shows; a fixed number of queries."""
    at = now()
    if not all(request.user.has_perm(permission) for permission in SEEN):
        return {"may_see": False}
    counted = dict(RegisteredModel.objects.order_by().values_list("status").annotate(Count("pk")))
    broken = RegisteredModel.objects.filter(status=Status.ERROR).select_related("provider").order_by("-error_since")
    events = StatusEvent.objects.select_related("model").order_by("-id")[:SHOWN]
    return {
        "may_see": True,
        "servers": servers(at),
        "api_providers": api_providers(),
        "statuses": [(status, STATUS_LOOK[status], counted.get(int(status), 0)) for status in Status],
        "models_count": sum(counted.values()),
        "has_clients": Client.objects.exists(),
        "broken": [(model, words.error_text(model), words.next_step(model)) for model in broken[:SHOWN]],
        "events": [(event, words.event_label(event.code), words.event_message(event)) for event in events],
        "at": at,
    }


def overview_fragment(request: HttpRequest) -> HttpResponse:
    """The overview alone, for renewing itself."""
    return render(request, "console/overview.html", overview(request))


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme's hook for the admin's first page."""
    return {**context, **overview(request), "today": today(request), "title": admin.site.index_title}
