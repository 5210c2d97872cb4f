"""Summing usage anew from what is stored, hour by hour and day by day, while records arrive.

Each step holds the ledger alone: whoever adds records to that hour was there before or comes after, so both the
old sums and the new ones are exact, and a rebuild may be stopped and started anywhere. Nothing is summed from
records where some of them are pruned.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying_transaction
from usage.ledger import hold_alone, read_ledger
from usage.models import Ledger, RollupCheck, UsageDay, UsageHour, UsageRecord
from usage.periods import DAY, HOUR, day_of, hour_from, hour_of, is_whole_hours, span_of
from usage.refusals import DaysUnknown
from usage.rollup_sql import sum_hours, sum_records

EVER = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 1, tzinfo=UTC)
SOON = timedelta(minutes=10)  # calls may be reported as made a little ahead of our clock


def rebuild_hours(*, since: datetime = EVER, until: datetime = NEVER) -> Iterator[datetime]:
    """Sum the hours from `since` to `until` anew, none of which some records are pruned; each when it is done."""
    pruned_until = read_ledger().pruned_until
    for hour in hours_with_calls(max(hour_of(since), hour_from(pruned_until or EVER)), until):
        if _rebuild_hour(hour):
            yield hour


@retrying_transaction
def _rebuild_hour(hour: datetime) -> bool:
    pruned_until = hold_alone().pruned_until
    if pruned_until is not None and hour < pruned_until:
        return False
    sum_records(UsageHour, hour, hour, hour + HOUR)
    return True


def rebuild_days(*, since: datetime = EVER, until: datetime = NEVER) -> Iterator[date]:
    """Sum the days that touch `since` to `until` anew, as far as there are any yet; each when it is done.

    Call it after the hours. A day of half hours some of whose records are pruned stays as it is.
    """
    for day in days_with_calls(read_ledger(), since, until):
        if _rebuild_day(day):
            yield day


@retrying_transaction
def _rebuild_day(day: date) -> bool:
    ledger = hold_alone()
    return day >= ledger.days_since and _sum_day(day, ledger)


def _sum_day(day: date, ledger: Ledger) -> bool:
    """Sum a day from hours, or from records where hours do not make it up; False when neither can be done."""
    span = span_of(day, ledger.zone)
    if is_whole_hours(span):
        sum_hours(UsageDay, day, *span)
    elif ledger.pruned_until is None or span[0] >= ledger.pruned_until:
        sum_records(UsageDay, day, *span)
    else:
        return False
    return True


def complete_days() -> Iterator[date]:
    """Bring the daily rollups to the installation's time zone: from the latest day back; each when it is done.

    Reports are summed meanwhile in the days that are there. Stopped, it goes on where it was. Raises DaysUnknown.
    """
    if read_ledger().day_zone != settings.TIME_ZONE:
        _begin_days(settings.TIME_ZONE)
    if read_ledger().days_since == Ledger.NONE_YET:
        _forget_days()
    ledger = read_ledger()
    for day in _days_back(ledger):
        if not _add_day(day):
            raise DaysUnknown(
                _("Records of %(day)s are pruned, and hours do not make up its days in %(zone)s.")
                % {"day": day.isoformat(), "zone": ledger.day_zone}
            )
        yield day
    _finish_days(ledger.day_zone)


@retrying_transaction
def _begin_days(zone: str) -> None:
    hold_alone()
    Ledger.objects.update(day_zone=zone, days_since=Ledger.NONE_YET)


def _forget_days() -> None:
    """Remove the days of the zone before, which nobody raises or reads any more, a month at a time."""
    while (first := first_of(UsageDay.objects.all(), "day")) is not None:
        retrying_transaction(UsageDay.objects.filter(day__lt=first + 30 * DAY).delete)()


def _days_back(ledger: Ledger) -> Iterator[date]:
    """The days that are wanting, the latest first."""
    zone, since = ledger.zone, ledger.days_since
    first, last = first_of(UsageHour.objects.all(), "hour"), first_of(UsageHour.objects.all(), "-hour")
    earliest, latest = day_of(first or now(), zone), day_of(max(last or now(), now() + SOON), zone)
    day = latest if since == Ledger.NONE_YET else since - DAY
    while day >= earliest:
        yield day
        day -= DAY


@retrying_transaction
def _add_day(day: date) -> bool:
    ledger = hold_alone()
    if not _sum_day(day, ledger):
        return False
    Ledger.objects.update(days_since=day)
    return True


@retrying_transaction
def _finish_days(zone: str) -> None:
    if hold_alone().day_zone == zone:
        Ledger.objects.update(days_since=Ledger.BEGINNING)


def note_repaired(*, since: datetime, until: datetime) -> None:
    """What checks found different from `since` to `until` is put right."""
    checks = RollupCheck.objects.filter(differences__gt=0, repaired_at=None, since__gte=since, until__lte=until)
    retrying_transaction(checks.update)(repaired_at=now())


def hours_with_calls(since: datetime, until: datetime) -> Iterator[datetime]:
    """The hours from `since` to `until` that records or rollups tell of."""
    hour = since
    while True:
        recorded = first_of(UsageRecord.objects.filter(occurred_at__gte=hour), "occurred_at")
        summed = first_of(UsageHour.objects.filter(hour__gte=hour), "hour")
        hour = min((hour_of(at) for at in (recorded, summed) if at is not None), default=until)
        if hour >= until:
            return
        yield hour
        hour += HOUR


def days_with_calls(ledger: Ledger, since: datetime, until: datetime) -> Iterator[date]:
    """The days from `since` to `until` that hours or rollups tell of."""
    zone = ledger.zone
    hours = UsageHour.objects.filter(hour__gte=hour_of(since), hour__lt=until)
    days = UsageDay.objects.filter(day__gte=day_of(since, zone), day__lte=day_of(until, zone))
    known = [day_of(at, zone) for at in (first_of(hours, "hour"), first_of(hours, "-hour")) if at is not None]
    known += [day for day in (first_of(days, "day"), first_of(days, "-day")) if day is not None]
    if known:
        day, last = min(known), max(known)
        while day <= last:
            yield day
            day += DAY


def first_of(rows: QuerySet[Any], order: str) -> Any:
    """The value of the first row in this order; None without rows."""
    return rows.order_by(order).values_list(order.removeprefix("-"), flat=True).first()
