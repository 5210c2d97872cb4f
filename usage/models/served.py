"""Calls that the servers themselves counted, whether or not anybody reported them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from models_registry.models import RegisteredModel


class ServedCount(models.Model):
    """The counters of a model as they were read last; written only when they have changed."""

    model = models.OneToOneField(
        RegisteredModel, models.PROTECT, primary_key=True, related_name="served_count", verbose_name=_("model")
    )
    succeeded = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(_("read at"))

    def __str__(self) -> str:
        return f"{self.model_id}: {self.succeeded} + {self.failed}"


class ServedHour(models.Model):
    """The calls that a server counted of one model in the hour that begins at `hour` (UTC). Kept for good."""

    pk = models.CompositePrimaryKey("model", "hour")
    model = models.ForeignKey(
        RegisteredModel, models.PROTECT, related_name="served_hours", db_index=False, verbose_name=_("model")
    )
    hour = models.DateTimeField(_("hour"))
    calls = models.BigIntegerField(_("calls"))
    failed = models.BigIntegerField(_("of which failed"))

    class Meta:
        verbose_name = _("calls counted in an hour")
        verbose_name_plural = _("calls counted by hour")

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}: {self.calls}"
