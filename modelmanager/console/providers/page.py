"""The list of providers and the page of one."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Greatest
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from modelmanager.console.actions import Button
from modelmanager.console.badges import NOTHING, health_badge, megabytes, moment
from modelmanager.console.base import actor_of
from modelmanager.console.deleting import Blocker, DeletedFilter, SoftDeletedAdmin
from modelmanager.console.health import fallen, last_outcome
from modelmanager.console.providers.actions import CHECK, DISABLE, ENABLE, LET_GO, RESTORE, RESYNC
from modelmanager.console.providers.form import ProviderForm, key_hint
from modelmanager.console.providers.importing import IMPORT
from modelmanager.console.providers.keys import KEY_ACTIONS
from modelmanager.console.providers.looks import CATALOG, GPU, PREVIEW
from models_registry.models import Provider
from models_registry.own_words import retold
from models_registry.services import providers
from models_registry.services.provider_keys import KEYS
from models_registry.services.provider_rules import fields_for
from models_registry.vocabulary import RESIDENT


@admin.register(Provider)
class ProviderAdmin(SoftDeletedAdmin):
    """Registering, checking, resynchronising and deleting providers."""

    form = ProviderForm
    list_display = ("name", "kind", "shown_health", "shown_checked", "shown_models", "shown_memory", "base_url")
    list_filter = ("kind", "enabled", DeletedFilter)
    search_fields = ("name", "base_url")
    object_pages = (GPU, CATALOG, PREVIEW)
    object_actions = (LET_GO, CHECK, RESYNC, ENABLE, DISABLE, RESTORE, IMPORT, *KEY_ACTIONS)
    bulk_actions = (CHECK, ENABLE, DISABLE)
    change_form_outer_before_template = "console/provider/top.html"
    readonly_fields = ("shown_api_key", "shown_api_key_2")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *("name", "kind", "base_url", "api_version", "allow_private_network"),
                    *("client_url", "metrics_url", "enabled"),
                )
            },
        ),
        (_("Access"), {"fields": ("api_key", "api_key_2", "organization", "project")}),
        (_("What it holds"), {"fields": ("gpu_memory_mb", "max_loaded_models", "drain_s")}),
        (_("Connection"), {"fields": ("timeout_s", "proxy_url", "ca_certificates"), "classes": ("collapse",)}),
    )

    # -- the list

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        live = Q(models__deleted_at__isnull=True)
        resident = live & Q(models__observed__in=RESIDENT)
        declared, measured = (Coalesce(F(f"models__{size}_memory_mb"), 0) for size in ("gpu", "measured"))
        used = Sum(Greatest(declared, measured), filter=resident)
        return super().get_queryset(request).annotate(model_count=Count("models", filter=live), used_mb=used)

    @display(description=_("Health"), ordering="consecutive_failures")
    def shown_health(self, provider: Provider) -> SafeString:
        return health_badge(provider)

    @display(description=_("Last check"), ordering="checked_at")
    def shown_checked(self, provider: Provider) -> SafeString | str:
        age = moment(provider.checked_at)
        told = ", ".join(part for part in (last_outcome(provider), fallen(provider)) if part)
        if provider.health_state == "failing":
            told = ": ".join(part for part in (told, retold(provider.health_told)) if part)
        if not told:
            return age
        return format_html('{}<div class="mm-muted mm-clip" title="{}">{}</div>', age, told, told)

    @display(description=_("Models"), ordering="model_count")
    def shown_models(self, provider: Any) -> SafeString:
        url = f"{reverse('admin:models_registry_registeredmodel_changelist')}?provider__id__exact={provider.pk}"
        return format_html('<a class="mm-link" href="{}">{}</a>', url, provider.model_count)

    @display(description=_("GPU memory"), ordering="gpu_memory_mb")
    def shown_memory(self, provider: Any) -> str:
        if provider.gpu_memory_mb is None:
            return NOTHING
        return f"{megabytes(provider.used_mb or 0)} / {megabytes(provider.gpu_memory_mb)}"

    # -- the page

    @display(description=_("API key"))
    def shown_api_key(self, provider: Provider) -> str:
        return key_hint(provider) or NOTHING

    @display(description=_("Second API key"))
    def shown_api_key_2(self, provider: Provider) -> str:
        return key_hint(provider, "api_key_2") or NOTHING

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "name", "kind") if obj else fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields of the provider's kind. Who may only look sees the hint of a key, never a field that holds it."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        fitting = fields_for(obj.kind)
        shown = str if self.has_change_permission(request, obj) else _without_secret
        return [
            (title, {**told, "fields": [shown(name) for name in told["fields"] if name in fitting]})
            for title, told in fieldsets
            if any(name in fitting for name in told["fields"])
        ]

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Bringing in line is offered where its preview is seen, ending a hold where it is told, importing in the
        catalog.
        """
        elsewhere = (RESYNC, LET_GO, IMPORT)
        return [button for button in super().buttons(request, row) if button.action not in elsewhere]

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may register what the provider offers."""
        return request.user.has_perm("models_registry.add_registeredmodel")

    def has_reveal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A permission of its own: who may replace a key need not be able to read it."""
        may = request.user.has_perm("models_registry.reveal_provider_credentials")
        return may and self.has_view_permission(request, obj)

    # -- deleting

    def blockers(self, request: HttpRequest, row: Any) -> Sequence[Blocker]:
        page = "admin:models_registry_registeredmodel_change"
        models = row.models(manager="objects").values_list("pk", "name")
        return [Blocker(name, reverse(page, args=[pk])) for pk, name in models]

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        providers.delete_provider(row, actor=actor_of(request))


def _without_secret(name: str) -> str:
    return f"shown_{name}" if name in KEYS else name
