"""Operations, and the duties that one process at a time performs."""

from django.db import models
from django.db.models import Case, F, When
from django.utils.translation import gettext_lazy as _

from models_registry.models import ConfigVersion, Provider, RegisteredModel
from monitoring.vocabulary import OperationKind, Outcome


class Operation(models.Model):
    """One load or unload on one Triton server, with its own deadline and outcome.

    It is also the lock: `running_on` is the provider's id while unfinished, and unique.
    """

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="operations", verbose_name=_("provider"))
    model = models.ForeignKey(RegisteredModel, models.PROTECT, related_name="operations", verbose_name=_("model"))
    kind = models.CharField(_("kind"), max_length=10, choices=OperationKind)
    config = models.ForeignKey(ConfigVersion, models.PROTECT, null=True, related_name="+", editable=False)
    # While a reload puts another version in its place: what the model was loaded with before.
    replaces = models.ForeignKey(ConfigVersion, models.PROTECT, null=True, related_name="+", editable=False)
    requested_by = models.CharField(_("requested by"), max_length=150)
    started_at = models.DateTimeField(_("started at"))
    posted_at = models.DateTimeField(_("posted at"), null=True)
    deadline_at = models.DateTimeField(_("deadline"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.RUNNING)
    error = models.CharField(_("error"), max_length=500, blank=True)
    # What the index said before the post, to tell an old failure from a new one.
    reason_before = models.CharField(max_length=500, blank=True)
    # Whether the index has shown it at work, and since when it has answered without a sign of it.
    busy_seen = models.BooleanField(default=False)
    quiet_since = models.DateTimeField(null=True)
    # GPU memory in use before the post, and once it had settled after the end; by the server's metrics, if it has any.
    memory_before_mb = models.PositiveIntegerField(null=True)
    memory_after_mb = models.PositiveIntegerField(null=True)
    running_on = models.GeneratedField(
        expression=Case(When(finished_at__isnull=True, then=F("provider_id")), default=None),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["running_on"], name="operation_one_per_server")]
        indexes = [models.Index(fields=["model", "-id"], name="operation_by_model")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.model.name}: {self.get_outcome_display()}"


class Duty(models.Model):
    """Something one process at a time does, and when it last showed a sign of life."""

    name = models.CharField(primary_key=True, max_length=40)
    owner = models.CharField(max_length=64, blank=True)
    held_until = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
