"""Driving a Triton server by load settings: what is sent with a load, and what the server makes of it.

A load takes a whole configuration or none. What ours changes is merged over the server's own, which a server
tells of loaded models only; where it is not known yet, the model is loaded without ours once, to learn it.
"""

import json
from datetime import datetime
from typing import Any

from modelmanager.lib.clock import now
from modelmanager.lib.retry import retrying_transaction
from models_registry.facts import tell
from models_registry.load_settings import differences, load_settings, merged
from models_registry.models import RegisteredModel, ServerConfig
from models_registry.providers.errors import ProviderRefused
from models_registry.providers.gateway import TritonGateway
from models_registry.vocabulary import SYSTEM, Observed
from monitoring.models import Operation

LARGEST_BYTES = 256 * 1024


def version_to_load(model: RegisteredModel) -> int | None:
    """The version to load a model with: the current one, or the first, which is empty, to learn the server's own."""
    if model.config is None or not load_settings(model.config.values) or _is_own_known(model):
        return model.config_id
    first = model.configs.filter(number=1).first()
    return model.config_id if first is None or load_settings(first.values) else first.pk


def _is_own_known(model: RegisteredModel) -> bool:
    """Whether it is known, or known that the server tells nothing of it."""
    server = ServerConfig.objects.filter(model=model).first()
    return server is not None and (server.own is not None or server.effective is None)


def override(operation: Operation) -> dict[str, Any] | None:
    """The configuration to post with a load; None: the server's own as it is."""
    patch = load_settings(operation.config.values) if operation.config else {}
    if not patch:
        return None
    server = ServerConfig.objects.filter(model=operation.model_id).first()
    own = server.own if server and server.own else {}
    return {**merged(own, patch), "name": operation.model.remote_name}


def read(model: RegisteredModel, gateway: TritonGateway, at: datetime) -> None:
    """Once after each load: keep what the server made of it, and tell where that is not what was asked for.

    A difference is told and no more. Raises ProviderUnavailable.
    """
    known = getattr(model, "server_config", None)
    loaded_at = model.observed_at
    if model.observed != Observed.READY or (known and (loaded_at is None or known.read_at >= loaded_at)):
        return
    try:
        effective = _bounded(gateway.effective_config(model.remote_name))
    except ProviderRefused:
        effective = None
    # A server tells nothing of what has just vanished either, and is no server that tells nothing for that.
    if effective is not None or gateway.is_ready(model.remote_name, model.remote_version):
        _keep(model, effective, at)


def _bounded(config: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if config is None or len(json.dumps(config)) > LARGEST_BYTES else config


@retrying_transaction
def _keep(model: RegisteredModel, effective: dict[str, Any] | None, at: datetime) -> None:
    held = RegisteredModel.objects.select_for_update().filter(pk=model.pk, revision=model.revision).first()
    if held is None:
        return  # it moved on: what was read may be of another load
    patch = load_settings(held.loaded_config.values) if held.loaded_config else {}
    differs = differences(effective, patch) if effective is not None else []
    kept: dict[str, Any] = {"effective": effective, "differs": differs, "read_at": now()}
    if not patch and effective is not None:
        kept["own"] = effective
    ServerConfig.objects.update_or_create(model=held, defaults=kept)
    if differs:
        pointers = ", ".join(difference["pointer"] for difference in differs)
        tell(held, code="config_differs", message=f"the server has it otherwise: {pointers}", actor=SYSTEM, at=at)
