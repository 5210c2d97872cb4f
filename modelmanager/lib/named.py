"""Rows that people name and edit: what providers, models, windows and clients have in common."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from modelmanager.lib.slugs import NameField
from modelmanager.lib.soft_delete import SoftDeleted, while_live


class Named(SoftDeleted):
    """A row under a name that never changes, and that a deleted row leaves to others.

    `edition` counts edits by people. A subclass makes `live_name` unique, in words of its own.
    """

    name = NameField(_("name"))
    edition = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    live_name = models.GeneratedField(
        expression=while_live("name"), output_field=models.CharField(max_length=100), db_persist=True
    )

    class Meta(SoftDeleted.Meta):
        abstract = True
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name
