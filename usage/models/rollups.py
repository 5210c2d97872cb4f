"""What is summed of usage records while they arrive: by hour, and by day of the installation's time zone."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from models_registry.models import ConfigVersion, RegisteredModel
from usage.histogram import COLUMNS
from usage.models.clients import Client
from usage.models.record import Outcome


def _refers_to(table: type[models.Model], name: Any) -> models.ForeignKey:
    """Without a foreign key in the database, as in the records themselves."""
    return models.ForeignKey(
        table, models.PROTECT, related_name="+", db_constraint=False, db_index=False, verbose_name=name
    )


class Rollup(models.Model):
    """Sums over the calls of one model, client, configuration and outcome; `b00` … count latencies by their bucket
    (see `usage.histogram`). Kept for good, also when the records are pruned.
    """

    model = _refers_to(RegisteredModel, _("model"))
    client = _refers_to(Client, _("client"))
    config = _refers_to(ConfigVersion, _("configuration"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    calls = models.BigIntegerField(_("calls"))
    input_tokens = models.BigIntegerField(_("input tokens"))
    output_tokens = models.BigIntegerField(_("output tokens"))
    cost = models.BigIntegerField(_("cost (millionths)"))
    latency_sum_us = models.BigIntegerField(_("sum of latencies (µs)"))
    latency_max_us = models.BigIntegerField(_("longest latency (µs)"))

    class Meta:
        abstract = True


for _column in COLUMNS:
    Rollup.add_to_class(_column, models.PositiveIntegerField(default=0))


class UsageHour(Rollup):
    """The calls of one hour, which begins at `hour` (UTC)."""

    pk = models.CompositePrimaryKey("hour", "model", "client", "config", "outcome")
    hour = models.DateTimeField(_("hour"))

    class Meta:
        verbose_name = _("usage of an hour")
        verbose_name_plural = _("usage by hour")
        indexes = [models.Index(fields=["model", "hour"], name="usage_hour_by_model")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}"


class UsageDay(Rollup):
    """The calls of one day of the time zone that the ledger names, from the ledger's first day on."""

    pk = models.CompositePrimaryKey("day", "model", "client", "config", "outcome")
    day = models.DateField(_("day"))

    class Meta:
        verbose_name = _("usage of a day")
        verbose_name_plural = _("usage by day")
        indexes = [models.Index(fields=["model", "day"], name="usage_day_by_model")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"
