"""`manage.py worker`: the job cluster, ending within seconds of SIGTERM."""

import logging
import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections, connections

from modelmanager.embedded.tied import die_with_parent
from modelmanager.lib.clock import now
from monitoring.cluster import stop, strict_cluster
from monitoring.duties import show_life
from monitoring.stopping import announce_stop
from monitoring.tasks import begin
from usage.services.leases import close_expired

logger = logging.getLogger(__name__)

LOOK_S = 0.1
SHOW_LIFE_S = 15.0
CLOSE_EXPIRED_S = 2.0


class Command(BaseCommand):
    """The package's own command stops inside its signal handler, where it can wait for ever.

    Here the handler sets a flag. Every process of the cluster dies with the one that forked it, and the
    cluster ends when any of them is killed: a kill -9 leaves neither orphans taking tasks beside the next
    cluster nor one that hangs. Signal the main process only (systemd: `KillMode=mixed`, `Restart=always`).
    """

    help = "Runs the job cluster until SIGTERM or SIGINT."
    _asked_to_end = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until asked to end; exit status 1 when the cluster died by itself."""
        begin()
        connections.close_all()  # nothing open is inherited by the processes forked next
        cluster = strict_cluster()  # installs its own handlers: ours come after
        signal.signal(signal.SIGTERM, self._ask_to_end)
        signal.signal(signal.SIGINT, self._ask_to_end)
        os.register_at_fork(before=_remember_parent, after_in_child=_die_with_forker)
        cluster.start()
        chores = [_Chore(SHOW_LIFE_S, _show_life), _Chore(CLOSE_EXPIRED_S, _close_expired)]
        while not self._asked_to_end:
            if not cluster.sentinel.is_alive():
                raise CommandError("The job cluster has ended; start the worker again.")
            for chore in chores:
                chore.do_when_due()
            time.sleep(LOOK_S)
        announce_stop()
        stop(cluster)

    def _ask_to_end(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_end = True


class _Chore:
    """What the main process does itself, every so many seconds.

    A database that is away is no reason to end: the cluster goes on and the next try reconnects.
    """

    def __init__(self, every_s: float, do: Callable[[], None]) -> None:
        self._every_s, self._do, self._done_at = every_s, do, -every_s

    def do_when_due(self) -> None:
        if time.monotonic() - self._done_at < self._every_s:
            return
        self._done_at = time.monotonic()
        try:
            close_old_connections()
            self._do()
        except DatabaseError as error:
            logger.warning("The worker could not do its chores: %s", error)


def _show_life() -> None:
    show_life("worker")


def _close_expired() -> None:
    """Nobody starts the watcher for a lease; granted while it rests, a short one would stay open for a minute more."""
    close_expired(now())


_forker = 0


def _remember_parent() -> None:
    global _forker
    _forker = os.getpid()


def _die_with_forker() -> None:
    die_with_parent(_forker)
