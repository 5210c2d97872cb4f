"""Rows of the registry for tests: written past every check but the database's own, and read again."""

from datetime import datetime
from typing import Any

from models_registry.in_force import InForce
from models_registry.models import ConfigVersion, Provider, RegisteredModel


def a_provider(name: str = "gpu", *, port: int = 18000, **fields: Any) -> Provider:
    """A stored Triton provider on 127.0.0.1."""
    address = f"127.0.0.1:{port}"
    values = {"kind": "triton", "base_url": f"http://{address}", "server_key": address, "allow_private_network": True}
    return Provider.objects.create(name=name, **(values | fields))


def a_model(provider: Provider, name: str = "chat", **fields: Any) -> RegisteredModel:
    """A stored model on a GPU, as the database has it now."""
    values = {"remote_name": name, "on_gpu": True}
    made = RegisteredModel.objects.create(name=name, provider=provider, **(values | fields))
    return fresh(made)


def fresh(model: RegisteredModel) -> RegisteredModel:
    """The model as it is stored now, with its generated columns."""
    return RegisteredModel.all_objects.select_related("provider").get(pk=model.pk)


def in_force_at(model: RegisteredModel, at: datetime) -> ConfigVersion | None:
    """The version that was in force at that time, before the first one the first."""
    return InForce([model.pk]).at(model.pk, at)
