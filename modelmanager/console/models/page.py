"""The list of models and the page of one."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from modelmanager.console import words
from modelmanager.console.badges import (
    NOTHING,
    OBSERVED_LOOK,
    STATUS_LOOK,
    badge,
    megabytes,
    memory,
    moment,
    status_badge,
)
from modelmanager.console.base import actor_of
from modelmanager.console.deleting import Blocker, DeletedFilter, SoftDeletedAdmin, restore_action
from modelmanager.console.fragments import fragment
from modelmanager.console.models import actions, configs
from modelmanager.console.models.blockers import blockers
from modelmanager.console.models.filters import StatusFilter
from modelmanager.console.models.form import ModelForm
from modelmanager.console.models.panel import panel, records
from modelmanager.console.usage.model_page import PAGE as USAGE
from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Refusal
from models_registry.models import Provider, RegisteredModel
from models_registry.services import registration
from models_registry.services.looking import catalog
from models_registry.vocabulary import Observed, Status
from usage.services.impact import delete_model


@admin.register(RegisteredModel)
class ModelAdmin(SoftDeletedAdmin):
    """Registering, editing and switching models."""

    form = ModelForm
    empty_title = _("No models here")
    empty_text = _("Register what a server serves: add a provider first, then pick from what it lists.")
    list_display = (
        "shown_name",
        "shown_status",
        "shown_switch",
        "shown_observed",
        "shown_place",
        "open_leases",
        "shown_situation",
        "shown_last_use",
    )
    list_filter = (
        StatusFilter,
        ("provider", RelatedDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("activation_policy", ChoicesDropdownFilter),
        DeletedFilter,
    )
    list_select_related = ("provider", "window")
    list_per_page = 50
    list_before_template = "console/models/statuses.html"
    list_fullwidth = True
    search_fields = ("name", "display_name", "remote_name", "description")
    search_help_text = _("Search by name, name at the provider, or description")
    change_form_outer_before_template = "console/models/panel.html"
    change_form_outer_after_template = "console/models/records.html"
    add_fieldsets = (
        (_("Where it is served"), {"fields": ("provider", "remote_name", "remote_version")}),
        (_("What it is called"), {"fields": ("name", "display_name", "kind", "description", "tags")}),
        (_("On the GPU"), {"fields": ("gpu_memory_mb", "priority", "pinned")}),
        (_("When it is on"), {"fields": ("activation_policy", "window", "idle_ttl_s")}),
    )
    fieldsets = (
        (None, {"fields": ("name", "display_name", "kind", "description", "tags")}),
        (_("Where it is served"), {"fields": ("provider", "remote_name", "remote_version")}),
        (_("On the GPU"), {"fields": ("gpu_memory_mb", "priority", "pinned")}),
        (_("When it is on"), {"fields": ("activation_policy", "window", "idle_ttl_s")}),
    )
    object_actions = (
        actions.ACTIVATE,
        actions.DEACTIVATE,
        actions.AUTOMATIC,
        actions.VERIFY,
        actions.RESYNC,
        configs.SAVE,
        configs.APPLY,
        restore_action(lambda request, row: registration.restore_model(row, actor=actor_of(request))),
    )
    object_pages = (configs.PAGE, configs.CONFIRM, USAGE)
    bulk_actions = (
        actions.ACTIVATE,
        actions.DEACTIVATE,
        actions.AUTOMATIC,
        actions.VERIFY,
        actions.RESYNC,
        actions.DELETE,
    )

    # -- the list

    @display(description=_("model"), ordering="name")
    def shown_name(self, model: RegisteredModel) -> SafeString:
        return format_html(
            '<span class="mm-name">{}</span><span class="mm-sub">{}</span>', model.name, model.display_name
        )

    @display(description=_("Status"), ordering="status")
    def shown_status(self, model: RegisteredModel) -> SafeString:
        return status_badge(model.status)

    @display(description=_("switch"), ordering="switch_state")
    def shown_switch(self, model: RegisteredModel) -> SafeString:
        wish = _("wanted") if model.wanted else _("not wanted")
        text = '<span class="mm-nowrap">{}</span><span class="mm-sub">{}</span>'
        return format_html(text, words.switch_text(model, now()), wish)

    @display(description=_("observed"), ordering="observed")
    def shown_observed(self, model: RegisteredModel) -> SafeString:
        tone, _icon = OBSERVED_LOOK[Observed(model.observed)]
        return badge(Observed(model.observed).label, tone, title=model.observed_reason)

    @display(description=_("GPU memory"), ordering="gpu_memory_mb")
    def shown_place(self, model: RegisteredModel) -> SafeString:
        text = '<span class="mm-nowrap" title="{}">{}</span><span class="mm-sub mm-nowrap">{}</span>'
        return format_html(text, memory(model), megabytes(model.size_mb), model.provider.name)

    @display(description=_("Waits for, or what is wrong"))
    def shown_situation(self, model: RegisteredModel) -> SafeString:
        text = words.situation(model, now())
        return format_html('<span class="mm-situation" title="{}">{}</span>', text, text or NOTHING)

    @display(description=_("last used at"), ordering="last_used_at")
    def shown_last_use(self, model: RegisteredModel) -> SafeString | str:
        return moment(model.last_used_at)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        counted = dict(RegisteredModel.objects.order_by().values_list("status").annotate(Count("pk")))
        statuses = [(status, STATUS_LOOK[status], counted.get(int(status), 0)) for status in Status]
        context = {"statuses": statuses, "chosen": request.GET.getlist("status"), "list_url": self.url_of("changelist")}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    # -- the page

    def get_urls(self) -> list[URLPattern]:
        prefix = self._url_name()
        return [
            path("catalog/", fragment(self.catalog_view), name=f"{prefix}_catalog"),
            path("<path:object_id>/panel/", fragment(self.panel_view), name=f"{prefix}_panel"),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without what means something on a GPU only, for a model that is not there."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or obj.on_gpu:
            return fieldsets
        return [(title, told) for title, told in fieldsets if "gpu_memory_mb" not in told["fields"]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name",) if obj is not None else ()

    def beside_form(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        row = self.get_object(request, object_id) if object_id else None
        told = self._told_about(request, row.pk) if row is not None else {}
        return {**super().beside_form(request, object_id), **told}

    def panel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The panel and the records of a model, as they are now."""
        row = self.row_for(request, object_id, "view")
        return render(request, "console/models/fragment.html", self._told_about(request, row.pk))

    def catalog_view(self, request: HttpRequest) -> HttpResponse:
        """What a provider lists now, to pick from."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        chosen = request.GET.get("provider", "")
        provider = Provider.objects.filter(pk=int(chosen)).first() if chosen.isdecimal() else None
        context: dict[str, Any] = {"provider": provider}
        try:
            context["entries"] = catalog(provider) if provider is not None else []
        except Refusal as refusal:
            context["refusal"] = refusal.detail
        return render(request, "console/models/catalog.html", context)

    def _told_about(self, request: HttpRequest, model_id: int) -> dict[str, Any]:
        told = panel(model_id)
        return {
            "panel": told,
            "records": records(told.model),
            "buttons": self.buttons(request, told.model),
            "panel_url": self.url_of("panel", model_id),
        }

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """On to the model's page, where it can be switched on."""
        return HttpResponseRedirect(self.url_of("change", obj.pk))

    # -- who may, and going away

    def has_switch_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may switch models on and off."""
        lives = getattr(obj, "deleted_at", None) is None
        return lives and request.user.has_perm("models_registry.switch_registeredmodel")

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        delete_model(row, actor=actor_of(request))

    def blockers(self, request: HttpRequest, row: Any) -> Sequence[Blocker]:
        return blockers(row)
