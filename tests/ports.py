"""Ports for servers that tests start."""

import contextlib
import random
import socket

OUTSIDE_THE_EPHEMERAL_RANGE = range(20000, 32000)  # no outgoing connection takes one between look and start


def free_ports(count: int) -> int:
    """The first of `count` neighbouring ports that are free now; two test processes seldom choose alike."""
    for _attempt in range(200):
        first = random.SystemRandom().choice(OUTSIDE_THE_EPHEMERAL_RANGE)
        if _are_free(range(first, first + count)):
            return first
    raise RuntimeError(f"no {count} neighbouring ports are free")


def _are_free(ports: range) -> bool:
    with contextlib.ExitStack() as held:
        try:
            for port in ports:
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
