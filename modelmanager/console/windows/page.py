"""The list of windows with a picture of the week, and the page of one."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from modelmanager.console.actions import ObjectAction, Told
from modelmanager.console.actor import actor_of
from modelmanager.console.badges import NOTHING, badge
from modelmanager.console.deleting import Blocker, DeletedFilter, SoftDeletedAdmin, restore_action
from modelmanager.console.windows.form import UntilForm, WindowForm, timezones
from modelmanager.console.windows.week import week, weeks_of_models
from modelmanager.console.words import short_time
from modelmanager.lib.clock import now
from models_registry.models import RegisteredModel, Window
from models_registry.services import windows

SHOWN = 50


def _except(*, opens: bool) -> Any:
    def run(request: HttpRequest, window: Window, data: dict[str, Any]) -> Told:
        windows.except_until(window, until=data["until"], opens=opens, actor=actor_of(request), note=data["note"])
        said = {"window": window, "time": short_time(data["until"], now())}
        text = _("%(window)s stays open until %(time)s.") if opens else _("%(window)s stays closed until %(time)s.")
        return Told(text % said, logged=_("Exception added."))

    return run


STAY_OPEN = ObjectAction(
    name="stay-open",
    label=gettext_lazy("Stay open until …"),
    icon="wb_sunny",
    permission="change",
    form=UntilForm,
    run=_except(opens=True),
)
STAY_CLOSED = ObjectAction(
    name="stay-closed",
    label=gettext_lazy("Stay closed until …"),
    icon="bedtime",
    permission="change",
    form=UntilForm,
    run=_except(opens=False),
)


@admin.register(Window)
class WindowAdmin(SoftDeletedAdmin):
    """When scheduled models are on."""

    form = WindowForm
    list_display = ("name", "shown_now", "shown_next", "timezone", "shown_models")
    list_filter = (DeletedFilter,)
    search_fields = ("name",)
    fields = ("name", "timezone", "rules", "exceptions", "drain_s")
    object_actions = (
        STAY_OPEN,
        STAY_CLOSED,
        restore_action(lambda request, row: windows.restore_window(row, actor=actor_of(request))),
    )
    list_before_template = "console/windows/weeks.html"
    change_form_outer_before_template = "console/windows/top.html"
    change_form_outer_after_template = "console/windows/timezones.html"
    empty_title = gettext_lazy("No windows yet")
    empty_text = gettext_lazy(
        "A window says when scheduled models are on: create one, then choose it on a model's page."
    )

    # -- the list

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        living = Q(models__deleted_at__isnull=True)
        return super().get_queryset(request).annotate(model_count=Count("models", filter=living))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"weeks": weeks_of_models(now()), **(extra_context or {})})

    @display(description=gettext_lazy("Now"))
    def shown_now(self, window: Window) -> SafeString:
        if window.hours.contains(now()):
            return badge(_("Open"), "success")
        return badge(_("Closed"), "neutral")

    @display(description=gettext_lazy("Next"))
    def shown_next(self, window: Window) -> str:
        return _next(window)

    @display(description=gettext_lazy("Models"), ordering="model_count")
    def shown_models(self, window: Any) -> SafeString:
        url = f"{reverse('admin:models_registry_registeredmodel_changelist')}?window__id__exact={window.pk}"
        return format_html('<a class="mm-link" href="{}">{}</a>', url, window.model_count)

    # -- the page

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name",) if obj else ()

    def beside_form(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        told = {**super().beside_form(request, object_id), "timezones": timezones()}
        window = self.get_object(request, object_id) if object_id else None
        if window is None:
            return told
        return told | {
            "days": week(window.hours, now()),
            "next": _next(window),
            "open_now": window.hours.contains(now()),
            "followers": RegisteredModel.objects.filter(window=window).order_by("name")[:SHOWN],
        }

    # -- going away

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        windows.delete_window(row, actor=actor_of(request))

    def blockers(self, request: HttpRequest, row: Any) -> Sequence[Blocker]:
        page = "admin:models_registry_registeredmodel_change"
        return [
            Blocker(_("%(model)s follows it.") % {"model": model}, reverse(page, args=[model.pk]))
            for model in RegisteredModel.objects.filter(window=row)[:SHOWN]
        ]


def _next(window: Window) -> str:
    """When it turns next, in words."""
    at, hours = now(), window.hours
    if hours.contains(at):
        closing = hours.next_closing(at)
        return _("closes %(time)s") % {"time": short_time(closing, at)} if closing else _("always open")
    opening = hours.next_opening(at)
    return _("opens %(time)s") % {"time": short_time(opening, at)} if opening else NOTHING
