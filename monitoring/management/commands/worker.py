"""`manage.py worker`: the job cluster, ending within seconds of SIGTERM."""

import logging
import os
import signal
import time
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections, connections
from django_q.cluster import Cluster

from modelmanager.embedded.tied import die_with_parent
from monitoring.duties import show_life
from monitoring.stopping import announce_stop
from monitoring.tasks import begin

logger = logging.getLogger(__name__)

LOOK_S = 0.1
SHOW_LIFE_S = 15.0


class Command(BaseCommand):
    """The package's own command stops inside its signal handler, where it can wait for ever.

    Here the handler sets a flag. Every process of the cluster dies with the one that forked it, so that
    a kill -9 of any of them leaves no orphans taking tasks beside the next cluster. Signal the main
    process only (systemd: `KillMode=mixed`).
    """

    help = "Runs the job cluster until SIGTERM or SIGINT."
    _asked_to_end = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until asked to end; exit status 1 when the cluster died by itself."""
        begin()
        connections.close_all()  # nothing open is inherited by the processes forked next
        cluster = Cluster()  # installs its own handlers: ours come after
        signal.signal(signal.SIGTERM, self._ask_to_end)
        signal.signal(signal.SIGINT, self._ask_to_end)
        os.register_at_fork(before=_remember_parent, after_in_child=_die_with_forker)
        cluster.start()
        shown = 0.0
        while not self._asked_to_end:
            if not cluster.sentinel.is_alive():
                raise CommandError("The job cluster's guard died; start the worker again.")
            if time.monotonic() - shown >= SHOW_LIFE_S:
                shown = time.monotonic()
                _show_life()
            time.sleep(LOOK_S)
        announce_stop()
        cluster.stop()

    def _ask_to_end(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_end = True


def _show_life() -> None:
    """A database that is away is no reason to end: the cluster goes on and the next try reconnects."""
    try:
        close_old_connections()
        show_life("worker")
    except DatabaseError as error:
        logger.warning("The worker could not show a sign of life: %s", error)


_forker = 0


def _remember_parent() -> None:
    global _forker
    _forker = os.getpid()


def _die_with_forker() -> None:
    die_with_parent(_forker)
