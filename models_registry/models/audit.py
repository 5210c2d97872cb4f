"""The audit trail: who changed what, when and why."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from models_registry.vocabulary import AuditAction, AuditKind


class AuditEntry(models.Model):
    """One deed, written in the transaction that did it, and never changed.

    It refers to its row by number and name and not by a foreign key, so that it locks nothing and outlives
    everything. `changes`: `{field: {"from": value, "to": value}}`, of a secret only `{"secret": what was done}`.
    """

    at = models.DateTimeField(_("at"), db_index=True)
    actor = models.CharField(_("by"), max_length=150)
    action = models.CharField(_("what"), max_length=20, choices=AuditAction)
    kind = models.CharField(_("kind"), max_length=20, choices=AuditKind)
    object_id = models.BigIntegerField(editable=False)
    name = models.CharField(_("name"), max_length=100)
    changes = models.JSONField(_("changes"), default=dict, encoder=DjangoJSONEncoder)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["kind", "name", "-id"], name="audit_by_object"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M:%S} {self.name}: {self.get_action_display()}"
