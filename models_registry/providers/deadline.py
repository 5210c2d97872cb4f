"""A deadline for a whole exchange: time-outs of sockets start anew with every byte."""

from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` (which waits by gevent) returns. Raises TimeoutError when that takes longer."""
    from gevent import Timeout

    deadline = Timeout(seconds)
    try:
        with deadline:
            return ask()
    except Timeout as timeout:
        if timeout is not deadline:
            raise
        raise TimeoutError(f"no answer within {seconds:g} s") from None
