"""Status events: what changed about a model, why, by whom."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from models_registry.models.model import RegisteredModel
from models_registry.vocabulary import Status


class StatusEvent(models.Model):
    """One change of wanted, observed or error, written in the transaction that changed it."""

    model = models.ForeignKey(RegisteredModel, models.PROTECT, related_name="events", verbose_name=_("model"))
    at = models.DateTimeField(_("at"), db_index=True)
    from_status = models.PositiveSmallIntegerField(_("from"), choices=Status)
    to_status = models.PositiveSmallIntegerField(_("to"), choices=Status)
    code = models.CharField(_("what"), max_length=40)
    message = models.CharField(_("message"), max_length=500, blank=True)
    actor = models.CharField(_("by"), max_length=150)
    wanted = models.BooleanField(_("wanted"), null=True)  # from then on; events of before this was noted have none

    class Meta:
        verbose_name = _("status event")
        verbose_name_plural = _("status events")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["model", "-id"], name="event_newest_first"),
            models.Index(fields=["model", "at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M:%S} {self.model.name}"

    @property
    def from_word(self) -> str:
        """The API's word for the status before."""
        return Status(self.from_status).word

    @property
    def to_word(self) -> str:
        """The API's word for the status after."""
        return Status(self.to_status).word
