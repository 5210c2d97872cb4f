"""Pages about a row beside its form: they ask, and change nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from modelmanager.console.actions import Button, Text, WithActions
from modelmanager.lib.refusals import Refusal


@dataclass(frozen=True)
class ObjectPage:
    """A page about a row. `look(request, row)` gives what its template shows, or a file, and may refuse."""

    name: str
    label: Text
    look: Callable[[HttpRequest, Any], dict[str, Any] | HttpResponse]
    template: str
    icon: str = ""
    permission: str = "view"
    shown: Callable[[Any], bool] = field(default=lambda row: True)
    asks: ClassVar[bool] = True
    own_page: ClassVar[bool] = True
    variant: str = "default"


class WithPages(WithActions):
    """`object_pages` are reached by buttons before those of the actions."""

    object_pages: tuple[ObjectPage, ...] = ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.look_view)
        return [path("<path:object_id>/look/<slug:name>/", view, name=f"{self._url_name()}_look"), *super().get_urls()]

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        pages = [
            Button(page, self.url_of("look", row.pk, page.name))
            for page in self.object_pages
            if page.shown(row) and self._may(request, page, row)
        ]
        return pages + super().buttons(request, row)

    def look_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Show one page about one row; a refusal is shown in its place."""
        page = next((page for page in self.object_pages if page.name == name), None)
        if page is None:
            raise Http404
        row = self.row_for(request, object_id, page.permission)
        context = {**self.page_context(request, row, page.label), "page": page}
        try:
            told = page.look(request, row)
            if isinstance(told, HttpResponse):
                return told
            context |= told
        except Refusal as refusal:
            context["refusal"] = refusal
        return TemplateResponse(request, page.template, context)
