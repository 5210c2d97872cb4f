"""The job cluster, ending as a whole when one of its processes is killed."""

import logging
import os
import threading
from typing import Any

from django_q import cluster

logger = logging.getLogger(__name__)


class StrictSentinel(cluster.Sentinel):
    """The package's own replaces a killed process and goes on.

    But a worker that waits for a task holds the lock of the queue it reads, and so does the process that
    reads results: killed there, it keeps the lock, and no other ever gets a task again. So the guard ends,
    everything it forked ends with it, and whoever runs `manage.py worker` starts a new one.
    """

    def reincarnate(self, process: Any) -> None:
        if process.exitcode is not None and process.exitcode < 0:
            logger.error("A process of the job cluster was killed by signal %s: ending it whole.", -process.exitcode)
            os._exit(1)
        super().reincarnate(process)


def strict_cluster() -> Any:
    """A job cluster with that guard."""
    cluster.Sentinel = StrictSentinel
    return cluster.Cluster()


def stop(cluster: Any) -> None:
    """End the cluster; return when its guard is gone.

    The package tells the guard by a condition, and waits until it has heard. A guard that a signal to the whole
    group ended while it listened never answers: so somebody else waits, and we look whether it lives.
    """
    guard = cluster.sentinel
    telling = threading.Thread(target=cluster.stop, daemon=True)
    telling.start()
    while telling.is_alive() and guard.is_alive():
        telling.join(0.05)
