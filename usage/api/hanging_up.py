"""Whether a caller is still there for the answer, as far as the web server lets us see."""

import socket
from collections.abc import Callable

from rest_framework.request import Request


def hang_up_of(request: Request) -> Callable[[], bool]:
    """Tells whether the caller has closed the connection; never, where the server does not show it or it is TLS."""
    connection: socket.socket | None = request.META.get("gunicorn.socket")
    return lambda: connection is not None and has_closed(connection)


def has_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed. Waits for nothing, and takes nothing of what it has sent."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except (BlockingIOError, TimeoutError, ValueError):  # nothing to read; flags are not for TLS
        return False
    except OSError:
        return True
