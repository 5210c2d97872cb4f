"""Finding out that a port is taken before anything is started."""

import errno
import socket
from collections.abc import Iterable


class PortTaken(RuntimeError):
    """Something else listens where we want to; the text is one sentence."""


def refuse_taken_ports(host: str, ports: Iterable[int], *, variable: str) -> None:
    """Raise PortTaken for the first of `ports` that cannot be listened on; `variable` is what would change it."""
    for port in ports:
        error = _why_not(host, port)
        if error is not None:
            raise PortTaken(_told(error, host, port, variable))


def _why_not(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: TIME_WAIT is no obstacle
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
        except (TypeError, UnicodeError):
            return OSError("not a host name")
    return None


def _told(error: OSError, host: str, port: int, variable: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is taken: end what uses it, or choose another with {variable}=…."
        case errno.EACCES:
            return f"Port {port} on {host} is for privileged users: choose one above 1023 with {variable}=…."
        case _:
            return f"HOST={host} cannot be listened on ({error.strerror or error}): give an address of this machine."
