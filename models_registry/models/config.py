"""Configuration versions of models, and when each was used."""

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from models_registry.models.model import RegisteredModel


class WrittenOnce(TypeError):
    """A configuration version is never changed and never deleted: make another one."""

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


class WriteOnceQuerySet(models.QuerySet["ConfigVersion"]):
    """Rows that are read and inserted, nothing else."""

    def update(self, **_values: Any) -> NoReturn:
        raise WrittenOnce

    def delete(self) -> NoReturn:
        raise WrittenOnce

    def bulk_update(self, *_args: Any, **_more: Any) -> NoReturn:
        raise WrittenOnce


class ConfigVersion(models.Model):
    """An immutable, numbered document of a model's settings; number 1 is `{}`."""

    model = models.ForeignKey(RegisteredModel, models.PROTECT, related_name="configs", verbose_name=_("model"))
    number = models.PositiveIntegerField(_("number"))
    values = models.JSONField(_("values"), default=dict)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    created_by = models.CharField(_("created by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = models.Manager.from_queryset(WriteOnceQuerySet)()

    class Meta:
        verbose_name = _("configuration version")
        verbose_name_plural = _("configuration versions")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["model", "number"], name="config_number")]

    def __str__(self) -> str:
        return str(self.number)

    def save(self, **options: Any) -> None:
        if not self._state.adding:
            raise WrittenOnce
        super().save(**options)

    def delete(self, **_options: Any) -> NoReturn:  # type: ignore[override]
        raise WrittenOnce

    @property
    def edition(self) -> int:
        """The model's: what two people who edit its configuration compare."""
        return self.model.edition


class ConfigUse(models.Model):
    """One time at which a version was made current: by whom, why, and since when it has been in force.

    `since` is empty until it came into force, and stays so where it never did; see `models_registry.in_force`.
    `newest` is the number of the newest version there was when it was made current.
    """

    model = models.ForeignKey(RegisteredModel, models.PROTECT, related_name="config_uses", verbose_name=_("model"))
    config = models.ForeignKey(ConfigVersion, models.PROTECT, related_name="uses", verbose_name=_("version"))
    newest = models.PositiveIntegerField()
    at = models.DateTimeField(_("made current at"))
    actor = models.CharField(_("by"), max_length=150)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    since = models.DateTimeField(_("in force since"), null=True)

    class Meta:
        verbose_name = _("use of a configuration version")
        verbose_name_plural = _("uses of configuration versions")
        ordering = ["-id"]
        indexes = [models.Index(fields=["model", "since", "id"], name="config_use_in_force")]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M:%S} {self.config_id}"


class ServerConfig(models.Model):
    """What a Triton server said of a loaded model's configuration, read once after each load.

    `own` is the server's own, without load settings of ours; null while that is not known. `effective` is the one
    in use; null where the server does not tell. `differs` is where that is not what the load settings say.
    """

    model = models.OneToOneField(RegisteredModel, models.PROTECT, primary_key=True, related_name="server_config")
    own = models.JSONField(null=True)
    effective = models.JSONField(null=True)
    differs = models.JSONField(default=list)
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)
