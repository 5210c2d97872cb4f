"""What is known of the usage records as a whole, and the checks of what is summed of them."""

from datetime import date
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _


class Ledger(models.Model):
    """One row, which is also the lock between those who add records (shared) and those who prune or rebuild (alone).

    Records before `pruned_until` are gone, and none is taken any more. `UsageDay` is complete for the days of
    `day_zone` from `days_since` on; earlier days are told by the hours. After the installation's time zone has
    changed they stay days of the old one until `manage.py rebuild_rollups` is run.
    """

    ONLY = 1
    BEGINNING = date(1970, 1, 1)  # `days_since` when every day is there
    NONE_YET = date(9999, 12, 31)  # and when none is

    pruned_until = models.DateTimeField(null=True)
    day_zone = models.CharField(max_length=64)
    days_since = models.DateField(default=BEGINNING)

    def __str__(self) -> str:
        return f"{self.day_zone} since {self.days_since}, pruned until {self.pruned_until}"

    def has_every_day_of(self, zone: str) -> bool:
        """Whether the daily rollups are complete, and of this zone; `manage.py rebuild_rollups` makes them so."""
        return self.day_zone == zone and self.days_since == self.BEGINNING

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the daily rollups."""
        return ZoneInfo(self.day_zone)


class RollupCheck(models.Model):
    """One comparison of the rollups with the records, and what differed, until a rebuild repaired it."""

    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("to"))
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    differences = models.PositiveIntegerField(_("differences"), default=0)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    repaired_at = models.DateTimeField(_("repaired at"), null=True)

    class Meta:
        verbose_name = _("check of usage sums")
        verbose_name_plural = _("checks of usage sums")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d} {self.differences}"
