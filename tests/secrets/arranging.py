"""Providers with keys, and what is to be found nowhere."""

from typing import Any

from models_registry.models import Provider

CANARY = "sk-canary-first-0123456789-abcd"
CANARY_2 = "sk-canary-second-9876543210-wxyz"
OTHER_INSTALLATION = "x6NG2FzcWXH9hJcyLrZp5Qb4wN0oAqVfT1sUu8eKj3Y="


def an_api_provider(name: str = "cloud", **fields: Any) -> Provider:
    """A stored provider of a compatible API with two keys."""
    told = {
        "kind": "openai_compatible",
        "base_url": "http://127.0.0.1:9/v1",
        "server_key": "127.0.0.1:9/v1",
        "max_loaded_models": None,
    }
    keys = {"api_key": CANARY, "api_key_2": CANARY_2}
    return Provider.objects.create(name=name, allow_private_network=True, **told | keys | fields)


def fresh(provider: Provider) -> Provider:
    return Provider.all_objects.get(pk=provider.pk)
