"""What django-q2 runs. Rows say what is due; a task may run twice or never."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

from django.conf import settings
from django.db import close_old_connections, connections
from django_q.models import Schedule
from django_q.tasks import async_task

from modelmanager.lib.clock import now
from models_registry.models import Provider, RegisteredModel
from models_registry.vocabulary import ProviderKind
from models_registry.waking import SOON, WATCH_TASK
from monitoring import duties
from monitoring.reconcile import reconcile
from monitoring.stopping import is_stopping
from usage.models import Lease
from usage.services.leases import close_expired

WATCH = "watch"
HOLD_S = 5.0
SIDE_BY_SIDE = 8


def watch() -> None:
    """The watcher and timer: acts on whatever is due, as long as anything runs or is due within a minute.

    One at a time; at most 50 s at a stretch, then it enqueues its successor. A killed one is missed by
    nobody: its duty falls to the next, which the one-minute schedule starts.
    """
    owner = duties.new_owner()
    if not duties.take(WATCH, owner=owner, for_s=HOLD_S):
        return
    try:
        _watch(owner)
    finally:
        duties.give_back(WATCH, owner=owner)
    if anything_soon():  # came up after the last look, or goes on after this stretch
        async_task(WATCH_TASK)


def _watch(owner: str) -> None:
    ends = time.monotonic() + settings.STRETCH_S
    keep = time.monotonic() + HOLD_S / 3
    under_way: dict[int, Future[None]] = {}
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="server") as pool:
        while time.monotonic() < ends and not is_stopping():
            if time.monotonic() >= keep:
                keep = time.monotonic() + HOLD_S / 3
                if not duties.take(WATCH, owner=owner, for_s=HOLD_S):
                    return
            started = time.monotonic()
            close_expired(now())
            _start_due(pool, under_way)
            if not under_way and not anything_soon():
                return
            time.sleep(max(0.0, settings.TICK_S / 2 - (time.monotonic() - started)))


def _start_due(pool: ThreadPoolExecutor, under_way: dict[int, Future[None]]) -> None:
    """Start a look at each server that is due and not being looked at; a hung one delays no other."""
    for provider_id in [pk for pk, future in under_way.items() if future.done()]:
        under_way.pop(provider_id).result()
    for provider_id in due_servers():
        if provider_id not in under_way:
            under_way[provider_id] = pool.submit(_look_at, provider_id)


def _look_at(provider_id: int) -> None:
    try:
        reconcile(provider_id)
    finally:
        connections.close_all()


def due_servers() -> list[int]:
    """Servers whose alarm has gone off."""
    rows = Provider.objects.filter(enabled=True, kind=ProviderKind.TRITON, wake_at__lte=now())
    return list(rows.values_list("pk", flat=True))


def anything_soon() -> bool:
    """Whether a server's alarm, a lease's end or a queue wants watching within a minute."""
    soon = now() + SOON
    servers = Provider.objects.filter(enabled=True, kind=ProviderKind.TRITON)
    return (
        servers.filter(wake_at__lte=soon).exists()
        or Lease.objects.filter(closed_at__isnull=True, expires_at__lte=soon).exists()
        or RegisteredModel.objects.filter(queued_at__isnull=False, provider__enabled=True, error_code="").exists()
    )


def poll() -> None:
    """Every two minutes: a look at every server, whatever its alarm says, and on with what it finds."""
    close_old_connections()
    close_expired(now())
    servers = Provider.objects.filter(enabled=True, kind=ProviderKind.TRITON).values_list("pk", flat=True)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(_look_at, servers))
    async_task(WATCH_TASK)


def begin() -> None:
    """What a starting worker does first: make sure that both schedules exist, and look at every server."""
    for name, func, minutes in (("poll", "monitoring.tasks.poll", settings.POLL_S // 60), ("watch", WATCH_TASK, 1)):
        values = {"func": func, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1}
        Schedule.objects.update_or_create(name=name, defaults=values)
    async_task("monitoring.tasks.poll")
