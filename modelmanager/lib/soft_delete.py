"""Rows that are marked as deleted instead of removed; `objects` shows the living, `all_objects` all."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class LiveManager(models.Manager[Any]):
    """Only rows that are not deleted."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(deleted_at__isnull=True)


class SoftDeleted(models.Model):
    """A row that keeps its history when it goes.

    A subclass frees its unique values by a generated column that is NULL once `deleted_at` is set,
    since MySQL and MariaDB have no partial unique indexes.
    """

    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True, editable=False)

    all_objects: models.Manager[Any] = models.Manager()
    objects = LiveManager()

    class Meta:
        abstract = True
        base_manager_name = "all_objects"
        default_manager_name = "all_objects"


def while_live(field: str, **conditions: Any) -> models.Case:
    """SQL expression: `field` while the row lives (and meets `conditions`), else NULL."""
    return models.Case(models.When(deleted_at__isnull=True, **conditions, then=models.F(field)), default=None)
