"""Looking closely while an operation runs, so that whoever waits for its end waits no tick longer than need be."""

from time import monotonic, sleep

from django.conf import settings

from models_registry import gateways
from models_registry.providers.errors import ProviderError
from monitoring.models import Operation
from monitoring.reconcile import Round, reconcile
from monitoring.stopping import is_stopping

LOOK_S = 0.03
AT_A_STRETCH_S = 2.0


def reconcile_closely(provider_id: int) -> Round:
    """Reconcile, and while an operation runs again whenever the server tells something new of it: the last round.

    For two seconds at most; the alarm stands at the next tick meanwhile, should this be killed.
    """
    ends = monotonic() + AT_A_STRETCH_S
    found = reconcile(provider_id)
    while found.operation is not None and found.answered and monotonic() < ends and not is_stopping():
        if found.operation.finished_at is None:
            _await_news(found.operation)
        found = reconcile(provider_id)
    return found


def _await_news(operation: Operation) -> None:
    """Return when the index says something else of the operation's model than now, or after a tick."""
    ends = monotonic() + settings.TICK_S
    gateway = gateways.triton(operation.model.provider)
    name = operation.model.remote_name
    try:
        before = gateway.observe().of(name)
        while monotonic() < ends and not is_stopping():
            sleep(LOOK_S)
            if gateway.observe().of(name) != before:
                return
    except ProviderError:
        return  # the next look records it
