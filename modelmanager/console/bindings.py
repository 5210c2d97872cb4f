"""Bindings: which client is set up to use which model. Added and removed, never changed."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from modelmanager.console.actions import ObjectAction, Told
from modelmanager.console.badges import moment, row_link
from modelmanager.console.base import ConsoleAdmin
from modelmanager.console.editing import ServiceForm
from modelmanager.console.lists import by_row
from usage.models import Binding
from usage.services.bindings import bind, unbind


class BindingForm(ServiceForm):
    """Which client is set up to use which model, and what for."""

    class Meta:
        model = Binding
        fields = ["client", "model", "reference", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("client", "model"):
            field: Any = self.fields[name]
            field.queryset = field.queryset.filter(deleted_at__isnull=True)

    def create(self, values: dict[str, Any]) -> Binding:
        name, client = values["model"].name, values["client"]
        return bind(name, client_id=client.pk, reference=values["reference"], note=values["note"])[0]


def _remove(request: HttpRequest, binding: Binding, data: dict[str, Any]) -> Told:
    told = {"reference": binding.reference, "client": binding.client.name, "model": binding.model.name}
    rows = Binding.objects.filter(pk=binding.pk)
    LogEntry.objects.log_actions(request.user.pk, rows, DELETION)  # type: ignore[arg-type]
    unbind(binding)
    return Told(_("%(client)s is no longer set up to use %(model)s as %(reference)s.") % told)


REMOVE = ObjectAction(
    name="remove",
    label=gettext_lazy("Remove"),
    icon="delete",
    permission="delete",
    variant="danger",
    question=gettext_lazy("The models may then be deleted without anybody being asked."),
    run=_remove,
)


@admin.register(Binding)
class BindingAdmin(ConsoleAdmin):
    """Clients that are set up to use models: added and removed, never changed."""

    form = BindingForm
    list_display = ("reference", "shown_client", "shown_model", "note", "shown_created")
    list_select_related = ("client", "model")
    list_filter = (by_row("client"), by_row("model"))
    search_fields = ("reference", "note", "client__name", "model__name")
    autocomplete_fields = ("client", "model")
    fields = ("client", "model", "reference", "note")
    sortable_by = ("reference",)
    list_per_page = 50
    bulk_actions = (REMOVE,)
    empty_text = gettext_lazy("A binding says that a system is set up to use a model, so that nobody deletes it.")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A binding that is there is only looked at."""
        plain = {"form": forms.ModelForm} if obj else {}
        return super().get_form(request, obj, change, **plain, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        unbind(obj)

    @display(description=gettext_lazy("Client"))
    def shown_client(self, binding: Binding) -> SafeString:
        return row_link(binding.client)

    @display(description=gettext_lazy("Model"))
    def shown_model(self, binding: Binding) -> SafeString:
        return row_link(binding.model)

    @display(description=gettext_lazy("Created"))
    def shown_created(self, binding: Binding) -> Any:
        return moment(binding.created_at)
