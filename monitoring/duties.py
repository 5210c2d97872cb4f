"""Duties that one process at a time performs, and signs of life."""

import os
import socket
import uuid
from datetime import timedelta

from django.db import IntegrityError
from django.db.models import Q

from modelmanager.lib.clock import now
from monitoring.models import Duty


def new_owner() -> str:
    """A name for one run of one process: host, pid, and a random part."""
    return f"{_host()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def take(name: str, *, owner: str, for_s: float) -> bool:
    """Take or keep the duty for the next `for_s` seconds; False while another one has it.

    A holder on this host that is no longer alive has lost it at once.
    """
    at = now()
    row = Duty.objects.filter(name=name)
    held = row.values_list("owner", flat=True).first()
    if held is None:
        return _first(name, owner, for_s)
    free = Q(held_until__isnull=True) | Q(held_until__lte=at) | Q(owner=owner)
    if _is_dead(held):
        free |= Q(owner=held)
    return bool(row.filter(free).update(owner=owner, held_until=at + timedelta(seconds=for_s), seen_at=at))


def give_back(name: str, *, owner: str) -> None:
    """End the duty, if it is still ours."""
    Duty.objects.filter(name=name, owner=owner).update(held_until=None)


def show_life(name: str) -> None:
    """Note that whoever does this is alive."""
    at = now()
    if not Duty.objects.filter(name=name).update(seen_at=at):
        Duty.objects.update_or_create(name=name, defaults={"seen_at": at})


def _first(name: str, owner: str, for_s: float) -> bool:
    at = now()
    try:
        Duty.objects.create(name=name, owner=owner, held_until=at + timedelta(seconds=for_s), seen_at=at)
    except IntegrityError:
        return False
    return True


def _host() -> str:
    """This host: the end of its name, since hosts of one kind, such as pods, begin alike."""
    return socket.gethostname()[-40:]


def _is_dead(owner: str) -> bool:
    host, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if host != _host() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
