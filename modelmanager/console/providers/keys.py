"""What can be done with a provider's keys: see one, exchange them, remove one. All of it is in the audit trail."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from modelmanager.console.actions import ObjectAction, Shown, Told
from modelmanager.console.actor import actor_of
from modelmanager.lib.encrypted_field import Unreadable
from models_registry.models import Provider
from models_registry.services import credentials, providers
from models_registry.services.provider_keys import KEYS

LABELS = {"api_key": gettext_lazy("API key"), "api_key_2": gettext_lazy("Second API key")}


class RevealForm(forms.Form):
    """Which key, and why."""

    key = forms.ChoiceField(
        label=gettext_lazy("Which key"),
        choices=list(LABELS.items()),
        initial=KEYS[0],
        widget=UnfoldAdminRadioSelectWidget(),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text=gettext_lazy("Kept in the audit trail with your name."),
    )


def _reveal(request: HttpRequest, provider: Provider, data: dict[str, Any]) -> Shown:
    field = data["key"]
    key = credentials.reveal_key(provider, field, actor=actor_of(request), reason=data["reason"])
    return Shown("console/provider/key.html", {"key": key, "label": LABELS[field]})


def _promote(request: HttpRequest, provider: Provider, data: dict[str, Any]) -> Told:
    credentials.promote_key(provider, actor=actor_of(request))
    return Told(_("%(name)s: the second key is now the first.") % {"name": provider.name})


def _remove(field: str) -> Any:
    def run(request: HttpRequest, provider: Provider, data: dict[str, Any]) -> Told:
        providers.update_provider(provider, {field: ""}, actor=actor_of(request))
        return Told(_("%(name)s: the key is removed.") % {"name": provider.name})

    return run


def _has(provider: Provider, field: str) -> bool:
    key = getattr(provider, field)
    return bool(key) or isinstance(key, Unreadable)


REVEAL = ObjectAction(
    name="reveal-key",
    label=gettext_lazy("Show a key"),
    icon="visibility",
    permission="reveal",
    own_page=True,
    form=RevealForm,
    question=gettext_lazy(
        "The key is shown once, on the page that follows. Say why you need it: that is recorded, the key is not."
    ),
    run=_reveal,
    shown=lambda provider: bool(provider.api_key or provider.api_key_2),
)
PROMOTE = ObjectAction(
    name="promote-key",
    label=gettext_lazy("Make the second key the first"),
    icon="swap_vert",
    permission="change",
    question=gettext_lazy("From now on the second key is tried first, and the first only where that one is refused."),
    run=_promote,
    shown=lambda provider: provider.deleted_at is None and bool(provider.api_key_2),
)
REMOVE_KEY = ObjectAction(
    name="remove-key",
    label=gettext_lazy("Remove the key"),
    icon="key_off",
    permission="change",
    variant="danger",
    question=gettext_lazy("It is forgotten here, and goes on to be valid at the provider until it is revoked there."),
    run=_remove("api_key"),
    shown=lambda provider: provider.deleted_at is None and _has(provider, "api_key"),
)
REMOVE_SECOND_KEY = ObjectAction(
    name="remove-second-key",
    label=gettext_lazy("Remove the second key"),
    icon="key_off",
    permission="change",
    variant="danger",
    question=REMOVE_KEY.question,
    run=_remove("api_key_2"),
    shown=lambda provider: provider.deleted_at is None and _has(provider, "api_key_2"),
)
KEY_ACTIONS = (REVEAL, PROMOTE, REMOVE_KEY, REMOVE_SECOND_KEY)
