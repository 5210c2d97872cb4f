"""Soft deletion: found by a filter, told what blocks it, and undone by a button."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.models import DELETION
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from modelmanager.console.actions import Button, ObjectAction, Told
from modelmanager.console.badges import moment
from modelmanager.console.base import ConsoleAdmin
from modelmanager.console.editing import told
from modelmanager.console.history import WithHistory
from modelmanager.console.pages import ObjectPage
from modelmanager.lib.refusals import Refusal


@dataclass(frozen=True)
class Blocker:
    """One thing that must go first; `url` leads to where it can be seen to."""

    text: str
    url: str = ""


TO_DELETION = ObjectPage(
    name="delete",
    label=gettext_lazy("Delete"),
    look=lambda request, row: {},
    template="console/delete.html",
    icon="delete",
    permission="delete",
    variant="danger",
)


class DeletedFilter(SimpleListFilter):
    """The living, unless somebody asks for the deleted."""

    title = gettext_lazy("deleted")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("Deleted ones")), ("all", gettext_lazy("All of them"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("Not deleted")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() != "yes")


class SoftDeletedAdmin(WithHistory, ConsoleAdmin):
    """A page over rows that are marked as deleted. A subclass writes `delete_row`, may list `blockers`,
    and has a `restore_action`; its `list_filter` should hold DeletedFilter.
    """

    def get_list_display(self, request: HttpRequest) -> Any:
        """Where deleted rows are shown, also when each was deleted."""
        first, *others = super().get_list_display(request)
        return [first, *(["shown_deleted"] if DeletedFilter.parameter_name in request.GET else []), *others]

    @display(description=gettext_lazy("Deleted"))
    def shown_deleted(self, row: Any) -> Any:
        return moment(row.deleted_at)

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        """Delete through a service; may raise a Refusal."""
        raise NotImplementedError

    def blockers(self, request: HttpRequest, row: Any) -> Sequence[Blocker]:
        """What must go before the row can be deleted."""
        return ()

    def consequences(self, row: Any) -> Sequence[str]:
        """What else a deletion does, in sentences."""
        return ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.all_objects.all()
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What is chosen by typing a part of its name is chosen among the living."""
        if request.resolver_match is not None and request.resolver_match.url_name == "autocomplete":
            queryset = queryset.filter(deleted_at__isnull=True)
        return super().get_search_results(request, queryset, search_term)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and getattr(obj, "deleted_at", None) is None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and getattr(obj, "deleted_at", None) is None

    def has_restore_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may delete may also undo it."""
        return super().has_delete_permission(request, obj)

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Those of the row, and the way to its deletion."""
        found = super().buttons(request, row)
        if self.has_delete_permission(request, row):
            found.append(Button(TO_DELETION, self.url_of("delete", row.pk)))
        return found

    def beside_form(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        """Without the theme's link to the deletion: it is a button among the others."""
        return {**super().beside_form(request, object_id), "show_delete": False}

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Tell what blocks the deletion, or ask; a POST deletes."""
        row = self.row_for(request, object_id, "delete")
        if request.method == "POST" and self._deleted(request, row):
            return HttpResponseRedirect(self.url_of("changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Delete %(row)s") % {"row": row},
            "opts": self.opts,
            "original": row,
            "row": row,
            "blockers": self.blockers(request, row),
            "consequences": self.consequences(row),
            "back_url": self.url_of("change", row.pk),
        }
        return TemplateResponse(request, "console/delete.html", context)

    def _deleted(self, request: HttpRequest, row: Any) -> bool:
        try:
            self._tell(request, row, delete_row(self, request, row))
        except Refusal as refusal:
            messages.error(request, told(refusal))
            return False
        return True


def delete_row(model_admin: SoftDeletedAdmin, request: HttpRequest, row: Any) -> Told:
    """Delete one row of an admin, and note it in the row's history."""
    model_admin.delete_row(request, row)
    return Told(_("%(row)s is deleted.") % {"row": row}, logged=_("Deleted."), flag=DELETION)


def restore_action(run: Any) -> ObjectAction:
    """The button that undoes a deletion; `run(request, row)` calls the service."""

    def restore(request: HttpRequest, row: Any, data: dict[str, Any]) -> Told:
        run(request, row)
        return Told(_("%(row)s is restored.") % {"row": row}, logged=_("Restored."))

    return ObjectAction(
        name="restore",
        label=gettext_lazy("Restore"),
        icon="restore_from_trash",
        permission="restore",
        variant="primary",
        run=restore,
        shown=lambda row: row.deleted_at is not None,
    )
