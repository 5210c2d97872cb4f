"""What holds for the keys of a provider when people edit it: they are written only, and bound to where they go."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from modelmanager.lib.encrypted_field import Unreadable
from models_registry.models import Provider
from models_registry.vocabulary import ProviderKind

KEYS = ("api_key", "api_key_2")
# Whoever may change these could otherwise have a stored key sent to a place of their own.
DESTINATION = ("base_url", "client_url", "proxy_url", "ca_certificates")

Error = tuple[str, str, str]


def without_masks(provider: Provider, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes without keys that only repeat the hint which is shown instead of them."""
    return {
        field: value
        for field, value in changes.items()
        if field not in KEYS or not value or value != provider.key_hint(field)
    }


def moved_key_errors(provider: Provider, changes: dict[str, Any]) -> Iterator[Error]:
    """A stored key goes to no other place than the one it was entered for, unless it is entered again.

    `provider` is the row as it is stored, `changes` what is to be changed, without masks.
    """
    if not moves(provider, changes):
        return
    for field in KEYS:
        stored = getattr(provider, field)
        if (stored or isinstance(stored, Unreadable)) and field not in changes:
            yield field, "required", _("The key would go to another place: enter it again, or remove it.")


def moves(provider: Provider, changes: dict[str, Any]) -> bool:
    """Whether the changes send the keys elsewhere, or trust somebody else to receive them."""
    return any(field in changes and changes[field] != getattr(provider, field) for field in DESTINATION)


def key_errors(provider: Provider) -> Iterator[Error]:
    """What is wrong with the keys a provider would have."""
    for field in KEYS:
        key = getattr(provider, field)
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            yield field, "invalid", _("A key has no spaces and only plain letters, digits and signs.")
    needs_one = provider.kind in (ProviderKind.OPENAI, ProviderKind.AZURE_OPENAI)
    stored = (provider.api_key, provider.api_key_2)
    if needs_one and not any(key or isinstance(key, Unreadable) for key in stored):
        yield "api_key", "required", _("A provider of this kind is not called without a key.")
