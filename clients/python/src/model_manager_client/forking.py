"""What a forked child must not share with its parent: locks somebody held, threads, connections, file locks."""

import os
from collections.abc import Callable
from weakref import WeakMethod


def after_fork(method: Callable[[], None]) -> None:
    """Have a bound method called in every child forked from now on, for as long as its object lives."""
    weak = WeakMethod(method)

    def call() -> None:
        alive = weak()
        if alive is not None:
            alive()

    os.register_at_fork(after_in_child=call)
