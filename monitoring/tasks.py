"""What django-q2 runs. Rows say what is due; a task may run twice or never."""

import functools
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django_q.models import Schedule
from django_q.tasks import async_task

from modelmanager.lib.clock import now
from models_registry.models import Provider, RegisteredModel
from models_registry.vocabulary import ProviderKind
from models_registry.waking import SOON, WATCH_TASK
from monitoring import checks, duties, nightly, served
from monitoring.closely import reconcile_closely
from monitoring.reconcile import Round, reconcile
from monitoring.stopping import is_stopping
from monitoring.unattended import give_up_where_nobody_looks
from usage.models import Lease
from usage.services.leases import close_expired

WATCH = "watch"
HOLD_S = 5.0
SIDE_BY_SIDE = 8
CHECKED_SIDE_BY_SIDE = 16
AFTER_A_FAULT_S = 10

logger = logging.getLogger(__name__)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    """Threads that stay, as each keeps its connections to the servers and to the database."""
    return ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="server")


@functools.cache
def _checking_threads() -> ThreadPoolExecutor:
    """Others for API providers: however many of these hang, no server waits for it."""
    return ThreadPoolExecutor(CHECKED_SIDE_BY_SIDE, thread_name_prefix="check")


def _forget_threads() -> None:
    _threads.cache_clear()
    _checking_threads.cache_clear()


os.register_at_fork(after_in_child=_forget_threads)


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
    try:
        while time.monotonic() < ends and not is_stopping():
            if time.monotonic() >= keep:
                keep = time.monotonic() + HOLD_S / 3
                if not duties.take(WATCH, owner=owner, for_s=HOLD_S):
                    return
            started = time.monotonic()
            close_expired(now())
            _start_due(under_way)
            if not under_way and not anything_soon():
                return
            time.sleep(max(0.0, settings.TICK_S / 2 - (time.monotonic() - started)))
    finally:
        wait(under_way.values())


def _start_due(under_way: dict[int, Future[None]]) -> None:
    """Start a look at each provider that is due and not being looked at; a hung one delays no other."""
    for provider_id in [pk for pk, future in under_way.items() if future.done()]:
        under_way.pop(provider_id).result()
    for provider_id, kind in due_providers():
        if provider_id not in under_way:
            under_way[provider_id] = _start_look(provider_id, kind)


def _start_look(provider_id: int, kind: str) -> Future[None]:
    if kind == ProviderKind.TRITON:
        return _threads().submit(_look_at, provider_id, reconcile_closely)
    return _checking_threads().submit(_look_at, provider_id, checks.look)


def _look_at(provider_id: int, look: Callable[[int], object]) -> None:
    """Look; a fault of ours with one provider is logged, and stops no other's look."""
    close_old_connections()
    try:
        look(provider_id)
    except Exception:
        logger.exception("looking at provider %s failed", provider_id)
        Provider.objects.filter(pk=provider_id).update(wake_at=now() + timedelta(seconds=AFTER_A_FAULT_S))
    finally:
        close_old_connections()


def due_providers() -> list[tuple[int, str]]:
    """`(id, kind)` of the providers whose alarm has gone off."""
    return list(Provider.objects.filter(enabled=True, wake_at__lte=now()).values_list("pk", "kind"))


def anything_soon() -> bool:
    """Whether a provider's alarm, a lease's end or a server's queue wants watching within a minute."""
    soon = now() + SOON
    queued = RegisteredModel.objects.filter(queued_at__isnull=False, on_gpu=True, error_code="")
    return (
        Provider.objects.filter(enabled=True, wake_at__lte=soon).exists()
        or Lease.objects.filter(open_until__lte=soon).exists()
        or queued.filter(provider__enabled=True).exists()
    )


def poll() -> None:
    """Every two minutes: one look at every server, whatever its alarm says; the watcher goes on with what it finds.

    API providers are looked at when their alarm goes off and by nobody but the watcher, so that they are asked
    once; one that has lost its alarm gets it back.
    """
    close_old_connections()
    close_expired(now())
    checks.set_missing_alarms()
    give_up_where_nobody_looks(now())
    servers = Provider.objects.filter(enabled=True, kind=ProviderKind.TRITON).values_list("pk", flat=True)
    wait([_threads().submit(_look_at, provider_id, _reconcile_and_count) for provider_id in servers])
    async_task(WATCH_TASK)


def _reconcile_and_count(provider_id: int) -> Round:
    found = reconcile(provider_id)
    if found.answered:
        served.read(provider_id)
    return found


def begin() -> None:
    """What a starting worker does first: make sure that all schedules exist, and look at every server."""
    for name, func, minutes in (("poll", "monitoring.tasks.poll", settings.POLL_S // 60), ("watch", WATCH_TASK, 1)):
        _schedule_once(name, {"func": func, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1})
    for name, func, at in nightly.SCHEDULES:
        daily = {"func": func, "schedule_type": Schedule.DAILY, "repeats": -1}
        _schedule_once(name, daily, first_run=nightly.next_(at))
    async_task("monitoring.tasks.poll")


def _schedule_once(name: str, values: dict[str, Any], *, first_run: datetime | None = None) -> None:
    """Names of schedules are not unique: of two made at the same moment the first stays."""
    rows = Schedule.objects.filter(name=name).order_by("pk")
    if not rows.update(**values):
        Schedule.objects.create(name=name, next_run=first_run or now(), **values)
    first = rows.values_list("pk", flat=True).first()
    rows.exclude(pk=first).delete()
