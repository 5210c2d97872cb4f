"""Lists as files: what the filters and the search leave, in the order shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.timezone import localtime

from modelmanager.console.actions import Text
from modelmanager.console.base import ConsoleAdmin
from modelmanager.console.downloads import csv_file, workbook_file
from modelmanager.lib.clock import now
from modelmanager.lib.sheets import Sheet

MOST_EXPORTED = {"csv": 20_000, "xlsx": 10_000}  # a workbook takes ten times as long
AT_A_TIME = 2_000


@dataclass(frozen=True)
class Exported:
    """A column of the file: a value of the row, or by a dotted name of what it refers to; and what becomes of it."""

    title: Text
    field: str
    told: Callable[[Any], Any] = lambda value: value

    def of(self, row: Any) -> Any:
        """What the file holds for a row; moments by the installation's clock."""
        value = self.told(attrgetter(self.field)(row))
        return localtime(value) if isinstance(value, datetime) else value


class WithExport(ConsoleAdmin):
    """Offers its list as CSV and XLSX, so many rows as MOST_EXPORTED says."""

    exported: Sequence[Exported] = ()
    list_before_template = "console/export.html"
    most_exported: Mapping[str, int] = MOST_EXPORTED

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/<slug:kind>/", view, name=f"{self._url_name()}_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """The list that the same query string shows, as a file; for filters that make no sense the list of all."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in self.most_exported:
            raise Http404
        try:
            shown = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return redirect(f"{self.url_of('changelist')}?{ERROR_FLAG}=1")
        rows = self._values(shown, at_most=self.most_exported[kind])
        sheet = Sheet(str(self.opts.verbose_name_plural), [str(one.title) for one in self.exported], rows)
        name = f"{self.opts.model_name}_{localtime(now()):%Y-%m-%d}"
        return csv_file(sheet, name) if kind == "csv" else workbook_file([sheet], name)

    def _values(self, rows: QuerySet[Any], *, at_most: int) -> Iterator[list[Any]]:
        for row in rows[:at_most].iterator(chunk_size=AT_A_TIME):
            yield [one.of(row) for one in self.exported]
