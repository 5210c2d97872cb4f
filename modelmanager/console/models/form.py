"""Registering and editing a model."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from modelmanager.console.editing import ServiceForm
from models_registry.models import Provider, RegisteredModel, Window
from models_registry.services import registration
from models_registry.vocabulary import Policy, ProviderKind

# What means something on a Triton server only.
ON_A_SERVER = ("remote_version", "gpu_memory_mb", "priority", "pinned")
CATALOG = (
    '<div id="catalog" hx-get="{}" hx-include="#id_provider" hx-trigger="load, change from:#id_provider"'
    ' hx-swap="innerHTML"></div>'
)


class TagsField(forms.Field):
    """A list of words, typed with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        return [tag.strip() for tag in (value or "").split(",") if tag.strip()]


class ModelForm(ServiceForm):
    """What people say about a model."""

    tags = TagsField(
        label=_("Tags"), required=False, widget=UnfoldAdminTextInputWidget, help_text=_("With commas between them.")
    )

    class Meta:
        model = RegisteredModel
        fields = registration.EDITABLE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "remote_name" not in self.fields:  # somebody who may only look
            return
        self.fields["description"].widget.attrs["rows"] = 3
        providers: Any = self.fields["provider"]
        providers.queryset = Provider.objects.all()
        if not self.instance.pk and not self.is_bound and providers.queryset.count() == 1:
            self.initial.setdefault("provider", providers.queryset.get().pk)
        # The theme's own conditional fields would make "window" a variable of the page's scripts.
        for name, policy in (("window", Policy.SCHEDULED), ("idle_ttl_s", Policy.ON_DEMAND)):
            self.fields[name].widget.attrs["data-shown-when"] = f"id_activation_policy={policy}"
        servers = [str(pk) for pk in providers.queryset.filter(kind=ProviderKind.TRITON).values_list("pk", flat=True)]
        for name in ON_A_SERVER:
            if name in self.fields:
                self.fields[name].widget.attrs["data-shown-when"] = f"id_provider={'|'.join(servers)}"
        windows: Any = self.fields["window"]
        windows.queryset = Window.objects.all()
        remote = self.fields["remote_name"]
        remote.widget.attrs |= {"list": "remote-names", "autocomplete": "off"}
        remote.help_text = format_html(CATALOG, reverse("admin:models_registry_registeredmodel_catalog"))

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        provider = values.get("provider")
        if provider is not None and not provider.is_triton:  # what such a model has of these, nobody sees
            values |= {"remote_version": "", "gpu_memory_mb": None}
        return values

    def create(self, values: dict[str, Any]) -> RegisteredModel:
        return registration.register_model(actor=self.actor, **values)

    def update(self, row: RegisteredModel, changes: dict[str, Any], edition: int | None) -> RegisteredModel:
        return registration.update_model(row, changes, actor=self.actor, edition=edition)
