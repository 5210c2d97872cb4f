"""What a model's tokens have cost, and since when."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from models_registry.models.model import RegisteredModel


def price_field(name: Any) -> models.DecimalField:
    """Per 1M tokens, as the model itself carries it; None: no price is known, it costs nothing."""
    return models.DecimalField(name, max_digits=12, decimal_places=6, null=True)


class ModelPrice(models.Model):
    """The prices of a model from `since` until those that follow. Written whenever the model's own change."""

    model = models.ForeignKey(RegisteredModel, models.PROTECT, related_name="prices", verbose_name=_("model"))
    since = models.DateTimeField(_("since"))
    input_price = price_field(_("input price per 1M tokens"))
    output_price = price_field(_("output price per 1M tokens"))

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["model", "since", "id"]
        indexes = [models.Index(fields=["model", "since"], name="price_by_model")]

    def __str__(self) -> str:
        return f"{self.input_price} / {self.output_price}"
