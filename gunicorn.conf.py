"""The production web server, for `make run` and for containers; the environment chooses."""

import os
from typing import Any

bind = os.environ.get("WEB_BIND", "0.0.0.0:8000")
workers = int(os.environ.get("WEB_PROCESSES", "1"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
limit_request_line = 8190  # as long as headers may be: filters repeat
keepalive = 75  # clients that lease often keep their connection
timeout = 90  # a process that stops beating this long is replaced; waiting requests do not count
graceful_timeout = int(os.environ.get("WEB_GRACEFUL_S", "30"))
accesslog = os.environ.get("WEB_ACCESS_LOG", "-")
# Longer than a wait for a lock. A database that hangs would hold every thread, and /healthz with them.
os.environ.setdefault("DATABASE_PATIENCE_S", "20")
control_socket_disable = True  # one machine may run several of us


def post_worker_init(worker: Any) -> None:
    """Answer what is no HTTP as everything else; import Triton's client now, not while the first caller waits."""
    import sys

    sys.setswitchinterval(0.0005)
    import tritonclient.http  # noqa: F401
    from gunicorn import util

    from modelmanager.api.unparsed import write_problem

    util.write_error = write_problem
