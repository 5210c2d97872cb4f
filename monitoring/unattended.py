"""Models of disabled providers: nobody looks at these, and yet no wait may be without an end."""

from datetime import datetime, timedelta

from django.conf import settings

from models_registry.models import RegisteredModel
from models_registry.vocabulary import Status
from monitoring.reconcile import refresh_wanted
from monitoring.waits import give_up_waiting


def give_up_where_nobody_looks(at: datetime) -> None:
    """End the waits that are past their deadline: in an error, unless the model is not wanted any more."""
    since = at - timedelta(seconds=settings.QUEUE_LIMIT_S)
    overdue = RegisteredModel.objects.filter(status=Status.ACTIVATING, queued_at__lte=since, provider__enabled=False)
    models = list(overdue.select_related("provider", "window"))
    refresh_wanted(models, at)
    give_up_waiting(models, at)
