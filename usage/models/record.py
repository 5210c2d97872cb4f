"""Usage records: one call that a client made."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from modelmanager.lib.exact_text import ExactTextField
from models_registry.models import ConfigVersion, RegisteredModel
from usage.models.clients import Client, Lease


class Outcome(models.TextChoices):
    """How a call ended, as its client saw it."""

    OK = "ok", _("OK")
    ERROR = "error", _("Error")
    TIMEOUT = "timeout", _("Timeout")
    CANCELLED = "cancelled", _("Cancelled")


class UsageRecord(models.Model):
    """One call, kept once per event id of its client. Written once, never changed, pruned after its retention.

    What it refers to is never removed and never renamed, so its names are theirs. It has no foreign keys in the
    database: they would lock the model's row while records arrive, and partitioned tables cannot have them.
    """

    client = models.ForeignKey(
        Client, models.PROTECT, related_name="+", db_constraint=False, db_index=False, verbose_name=_("client")
    )
    event_id = ExactTextField(_("event id"), max_length=64)
    model = models.ForeignKey(
        RegisteredModel, models.PROTECT, related_name="+", db_constraint=False, db_index=False, verbose_name=_("model")
    )
    config = models.ForeignKey(
        ConfigVersion,
        models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("configuration"),
    )
    lease = models.ForeignKey(
        Lease,
        models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("lease"),
    )
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))
    latency_us = models.BigIntegerField(_("latency (µs)"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    error_code = models.CharField(_("error code"), max_length=64, blank=True)
    input_tokens = models.PositiveIntegerField(_("input tokens"), default=0)
    output_tokens = models.PositiveIntegerField(_("output tokens"), default=0)
    cost = models.BigIntegerField(_("cost (millionths)"), default=0)

    class Meta:
        verbose_name = _("usage record")
        verbose_name_plural = _("usage records")
        ordering = ["-occurred_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["client", "event_id"], name="usage_once")]
        indexes = [
            models.Index(fields=["occurred_at"], name="usage_by_time"),
            models.Index(fields=["model", "occurred_at"], name="usage_by_model"),
            models.Index(fields=["client", "occurred_at"], name="usage_by_client"),
            # For those that are rare: millions that went well are not searched for ten that did not.
            models.Index(fields=["outcome", "occurred_at"], name="usage_by_outcome"),
        ]

    def __str__(self) -> str:
        return self.event_id
