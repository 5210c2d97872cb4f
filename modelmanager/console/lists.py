"""Lists over tables that grow without end: bounded counts, and filters that load no other table."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter
from unfold.utils import parse_date_str

COUNTED = 10_000
LONGEST_ID = 18  # digits


class BoundedPaginator(Paginator):
    """Counts at most 10,000 rows: counting millions takes longer than showing a page of them.

    Older rows are found by a filter, and the foot of the list says where counting ended.
    """

    template_name = "console/pagination.html"

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.most].count())

    @property
    def most(self) -> int:
        """Where counting ends."""
        return COUNTED

    @property
    def has_more(self) -> bool:
        """Whether there may be more rows than were counted."""
        return self.count >= self.most


class ShortPaginator(BoundedPaginator):
    """Counts at most 1,000 rows: for tables of many millions, where rows that a filter leaves may be far apart."""

    @property
    def most(self) -> int:
        return COUNTED // 10


class DaysFilter(RangeDateFilter):
    """From one day to another, both included, as days are in the installation's time zone.

    The borders are computed here: a database may not know the zone.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._day("from"), self._day("to")
        if first is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": _midnight(first)})
        if last is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lt": _midnight(last + timedelta(days=1))})
        return queryset

    def _day(self, side: str) -> date | None:
        try:
            return parse_date_str(self.used_parameters.get(f"{self.field_path}_{side}") or "")
        except (ValueError, OverflowError):
            return None


def _midnight(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))


class RowFilter(AutocompleteSelectFilter):
    """By a related row. Its form looks the row up again, where a number that no id can be has no guard."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if len(self.value() or "") > LONGEST_ID:
            raise IncorrectLookupParameters
        return super().queryset(request, queryset)


def by_row(field: str) -> tuple[str, type]:
    """A filter by a related row, chosen by typing a part of its name."""
    return field, RowFilter


def between(field: str) -> tuple[str, type]:
    """A filter by a span of days."""
    return field, DaysFilter
