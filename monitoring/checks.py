"""Looking after one API provider: what time has changed about its models, and a free check when one is due.

A check is due at its time, and at once when a model waits for one: the alarm says when to look, rows say why.
"""

from datetime import datetime, timedelta

from django.conf import settings

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying
from models_registry.models import Provider, RegisteredModel
from models_registry.services.checking import check, check_due_at
from models_registry.vocabulary import ProviderKind
from monitoring import alarms, waits
from monitoring.beliefs import models_of
from monitoring.reconcile import record, refresh_wanted, revoke_overdue


def look(provider_id: int) -> None:
    """Do what is due at an API provider. One process does: whoever wins its alarm.

    Nothing is done to a disabled or deleted provider.
    """
    provider = Provider.objects.filter(pk=provider_id, enabled=True).exclude(kind=ProviderKind.TRITON).first()
    if provider is None:
        Provider.all_objects.filter(pk=provider_id).exclude(kind=ProviderKind.TRITON).update(wake_at=None)
        return
    alarm = _claim(provider)
    if alarm is None:
        return
    models = _brought_up_to_date(provider)
    if check_due_at(provider, models, now()) <= now():
        check(provider)
        models = models_of(provider)
    at = now()
    waits.give_up_waiting(models, at)
    due = (check_due_at(provider, models, at), alarms.next_due(models, at))
    alarms.move(provider, alarm, min(time for time in due if time is not None))


def set_missing_alarms() -> None:
    """Have API providers looked at whose alarm was lost: a process was killed before it set one."""
    lost = Provider.objects.filter(enabled=True, wake_at__isnull=True).exclude(kind=ProviderKind.TRITON)
    for provider_id in lost.values_list("pk", flat=True):
        retrying(lost.filter(pk=provider_id).update)(wake_at=now())


def _claim(provider: Provider) -> datetime | None:
    """Put the alarm, which has gone off, ahead, so that a look that is killed is taken again.

    None when somebody else was first.
    """
    if provider.wake_at is None or provider.wake_at > now():
        return None
    ahead = now() + timedelta(seconds=alarms.LOOK_TAKES_S + 2 * settings.API_PATIENCE_S)
    mine = Provider.objects.filter(pk=provider.pk, enabled=True, wake_at=provider.wake_at)
    return ahead if retrying(mine.update)(wake_at=ahead) else None


def _brought_up_to_date(provider: Provider) -> list[RegisteredModel]:
    """Its models, after what switches, windows, demand and drain deadlines say by now."""
    models = models_of(provider)
    refresh_wanted(models, now())
    revoke_overdue(models, now())
    _end_drains(models, now())
    return models


def _end_drains(models: list[RegisteredModel], at: datetime) -> None:
    """Nothing is unloaded here: a drain is over with the last lease."""
    for model in models:
        if model.drain_until is not None and not model.open_leases:
            record(model, {"drain_until": None}, code="drained", at=at)
