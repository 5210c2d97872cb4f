"""Registering and editing a provider."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from modelmanager.console.editing import ServiceForm
from modelmanager.lib.encrypted_field import Unreadable
from models_registry.models import Provider
from models_registry.services import providers
from models_registry.services.provider_keys import KEYS
from models_registry.services.provider_rules import fields_for
from models_registry.vocabulary import ProviderKind


def key_hint(provider: Provider, field: str = "api_key") -> str:
    """What may be shown of a key; one that our encryption keys do not open has to be entered again."""
    if isinstance(getattr(provider, field), Unreadable):
        return gettext("unreadable: enter the key again")
    return provider.key_hint(field)


def _key_field(label: Any, help_text: Any) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, required=False, max_length=1000, widget=widget, help_text=help_text)


class ProviderForm(ServiceForm):
    """What people say about a provider. Its keys are written only: empty, or the hint, leaves one as it is."""

    secret_fields = KEYS

    api_key = _key_field(_("API key"), _("Stored encrypted and never shown again. Left empty, the present key stays."))
    api_key_2 = _key_field(
        _("Second API key"), _("Used while the provider refuses the first, so that keys can be exchanged with no gap.")
    )

    class Meta:
        model = Provider
        fields = ["name", "kind", *providers.EDITABLE]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in KEYS:
            self.initial.pop(name, None)
            if name in self.fields:
                self.fields[name].widget.attrs["placeholder"] = key_hint(self.instance, name)
        if "timeout_s" in self.fields:
            self.fields["timeout_s"].required = False  # not seen for a Triton server
        if "kind" in self.fields:
            self.fields["kind"].choices = ProviderKind.choices  # type: ignore[attr-defined]
            self.initial.setdefault("kind", ProviderKind.TRITON)
            self._show_what_fits()

    def _show_what_fits(self) -> None:
        """Fields that mean nothing for some kinds are there only while another is chosen."""
        fitting = {kind: fields_for(kind) for kind in ProviderKind.values}
        for name, field in self.fields.items():
            kinds = [kind for kind, fields in fitting.items() if name in fields]
            if len(kinds) < len(fitting):
                field.widget.attrs["data-shown-when"] = f"id_kind={'|'.join(kinds)}"
        self.fields["base_url"].help_text = _(
            "OpenAI: https://api.openai.com/v1. Azure OpenAI: https://NAME.openai.azure.com with an API version, or "
            "https://NAME.openai.azure.com/openai/v1 without one."
        )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        kind = values.get("kind") or self.instance.kind
        unseen = set(ProviderForm.Meta.fields) - set(fields_for(kind)) if kind else set()
        empty = {name for name in (*KEYS, "timeout_s") if not values.get(name)}
        for name in unseen | empty:
            values.pop(name, None)
        return values

    def create(self, values: dict[str, Any]) -> Provider:
        return providers.create_provider(actor=self.actor, **values)

    def update(self, row: Provider, changes: dict[str, Any], edition: int | None) -> Provider:
        return providers.update_provider(row, changes, actor=self.actor, edition=edition)
