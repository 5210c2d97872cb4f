"""What is wrong with a model beyond the form of its single fields. Every error stands on its own field."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from models_registry.fit import why_it_never_fits
from models_registry.models import RegisteredModel
from models_registry.providers.azure import API_VERSION, DEPLOYMENT
from models_registry.vocabulary import Policy, ProviderKind

Error = tuple[str, str, str]
"""Field, code, and what to do."""


def rule_errors(model: RegisteredModel) -> list[Error]:
    """All rules between the fields of a model, its provider and its window."""
    errors: list[Error] = []
    if model.provider_id is not None:
        errors += _provider_errors(model)
    if model.window is not None and model.window.deleted_at is not None:
        errors.append(("window", "does_not_exist", _("This window is deleted.")))
    if model.activation_policy == Policy.SCHEDULED and model.window is None:
        errors.append(("window", "required", _("A scheduled model needs a window.")))
    return [*errors, *_tag_errors(model.tags)]


def _provider_errors(model: RegisteredModel) -> Iterator[Error]:
    if model.provider.deleted_at is not None:
        yield "provider", "does_not_exist", _("This provider is deleted.")
    if model.on_gpu:
        yield from _triton_errors(model)
        return
    if model.remote_version:
        yield "remote_version", "not_applicable", _("A model at an API provider has no version beside its name.")
    if model.gpu_memory_mb is not None:
        yield "gpu_memory_mb", "not_applicable", _("A model at an API provider takes no GPU memory of ours.")
    if model.provider.kind == ProviderKind.AZURE_OPENAI:
        yield from _deployment_errors(model.remote_name)


def _triton_errors(model: RegisteredModel) -> Iterator[Error]:
    never = why_it_never_fits(model.gpu_memory_mb, server_mb=model.provider.gpu_memory_mb)
    if never:
        yield ("gpu_memory_mb", *never)
    if "/" in model.remote_name or "\\" in model.remote_name or model.remote_name in (".", ".."):
        yield "remote_name", "invalid", _("A name at a Triton server is the name of a folder.")
    if model.remote_version and not model.remote_version.isdecimal():
        yield "remote_version", "invalid", _("A version at a Triton server is a number.")


def _deployment_errors(remote_name: str) -> Iterator[Error]:
    if API_VERSION.match(remote_name):
        yield "remote_name", "invalid", _("This is an API version: it belongs to the provider. Give the deployment.")
    elif "://" in remote_name or "/" in remote_name:
        yield "remote_name", "invalid", _("The endpoint belongs to the provider: give the deployment's name alone.")
    elif remote_name and not DEPLOYMENT.match(remote_name):
        detail = _("The name of a deployment has up to 64 letters, digits, dots, hyphens and underscores.")
        yield "remote_name", "invalid", detail


def _tag_errors(tags: Any) -> list[Error]:
    fine = isinstance(tags, list) and len(tags) <= 50
    if fine and all(isinstance(tag, str) and 0 < len(tag) <= 50 and '"' not in tag for tag in tags):
        return []
    return [("tags", "invalid", _("Give at most 50 tags of 1 to 50 characters, without quotation marks."))]
