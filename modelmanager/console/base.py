"""What every page of the console builds on."""

from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import CharField, GenericIPAddressField, QuerySet, TextField
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.views import ChangeList

from modelmanager.console.actions import Text
from modelmanager.console.actor import actor_of
from modelmanager.console.editing import ServiceForm
from modelmanager.console.pages import WithPages

__all__ = ["ConsoleAdmin", "ReadOnlyAdmin", "actor_of"]


class _Untransacted(DjangoModelAdmin):
    """Django wraps saving in a transaction; services open their own, and ask providers outside of it."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]


for field_type in (CharField, GenericIPAddressField, TextField):
    field_type.register_lookup(Lower)


class ConsoleList(ChangeList):
    """A list that counts its rows once: those that match, however many there are beside.

    Ties go by id in the direction of the first key, as the indexes have it: the other way round
    the database would sort the whole table for one page.
    """

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        *keys, last = super().get_ordering(request, queryset)
        first = keys[0] if keys else None
        rises = isinstance(first, str) and not first.startswith("-")
        return [*keys, "pk" if last == "-pk" and rises else last]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count


class ConsoleAdmin(WithPages, UnfoldModelAdmin, _Untransacted):
    """A page over one kind of row: list, form, and the actions in `object_actions` and `bulk_actions`,
    the pages in `object_pages`.

    `form` is a ServiceForm: it saves through a service, with `actor` set to who is signed in.
    """

    form = ServiceForm
    warn_unsaved_form = True
    list_filter_submit = True
    show_full_result_count = False
    save_as = False
    change_form_before_template = "console/hidden_fields.html"
    # What an empty list says, and what to do next.
    empty_title: Text = _("Nothing here yet")
    empty_text: Text = ""

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """In lower case, since a binary collation (MySQL, MariaDB) tells A from a."""
        return [f"{field}__lower" for field in super().get_search_fields(request)]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        return super().get_search_results(request, queryset, search_term.lower())

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ConsoleList]:
        return ConsoleList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list that the query string asks for.

        Raises IncorrectLookupParameters also for a number or a day that no column holds, found when rows are read.
        """
        try:
            return super().get_changelist_instance(request)
        except OverflowError as error:
            raise IncorrectLookupParameters(error) from error

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form class of this request, which knows who acts."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.actor = actor_of(request)
        return form

    def beside_form(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        """What the page of a row, or of a new one, shows beside its form."""
        return {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**self.beside_form(request, object_id), **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: the form has saved through its service."""


class ReadOnlyAdmin(ConsoleAdmin):
    """Rows that people only look at; what can be done with them are actions."""

    form = forms.ModelForm  # type: ignore[assignment]
    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
