"""Registering, changing, deleting and restoring models."""

from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid, NameTaken
from modelmanager.lib.retry import retrying_transaction
from models_registry import gateways
from models_registry.facts import change_facts
from models_registry.fit import why_it_never_fits
from models_registry.models import ConfigVersion, Provider, RegisteredModel
from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.refusals import ModelInUse, ProviderDeleted, ProviderUnreachable, RemoteTaken
from models_registry.validation import edit, refuse_invalid
from models_registry.vocabulary import RESIDENT, Observed, Policy, SwitchState
from models_registry.waking import wake

EDITABLE = [
    "display_name",
    "description",
    "kind",
    "provider",
    "remote_name",
    "remote_version",
    "gpu_memory_mb",
    "priority",
    "pinned",
    "activation_policy",
    "idle_ttl_s",
    "input_price",
    "output_price",
    "tags",
]
IDENTITY = ("provider", "remote_name", "remote_version")


def register_model(*, actor: str, verify: bool = True, **fields: Any) -> RegisteredModel:
    """Register a model with configuration version 1 (`{}`).

    With `verify` a Triton server is asked whether it lists the model, and one found loaded is switched
    on, so that registering a running server stops nothing. Raises Invalid or ProviderUnreachable.
    """
    model = RegisteredModel(**fields)
    model.on_gpu = _has_provider(model) and model.provider.is_triton
    _refuse_invalid(model)
    seen = _seen(model) if verify and model.on_gpu else None
    if seen is not None and seen.state in (RemoteState.READY, RemoteState.LOADING):
        model.switch_state = SwitchState.ON
    try:
        _insert(model, seen, actor)
    except IntegrityError as error:
        raise Invalid.of("name", _("A model of this name or remote name was registered just now.")) from error
    return RegisteredModel.objects.select_related("provider", "config").get(pk=model.pk)


def _seen(model: RegisteredModel) -> RemoteModel:
    """What the server says of a model about to be registered. Raises Invalid when it is not listed."""
    if not model.provider.enabled:
        raise ProviderUnreachable(_("%(name)s is disabled.") % {"name": model.provider.name})
    seen = gateways.look_up(model.provider, model.remote_name)
    if seen.state == RemoteState.ABSENT:
        detail = _("%(provider)s does not list “%(remote)s”: look at its catalog for what it offers.")
        raise Invalid.of(
            "remote_name",
            detail % {"provider": model.provider.name, "remote": model.remote_name},
            code="not_listed",
        )
    return seen


@retrying_transaction
def _insert(model: RegisteredModel, seen: RemoteModel | None, actor: str) -> None:
    if not Provider.objects.filter(pk=model.provider_id).update(updated_at=now()):
        raise Invalid.of("provider", _("This provider was deleted."))
    model.pk = None
    model.save(force_insert=True)
    first = ConfigVersion.objects.create(model=model, number=1, values={}, created_by=actor)
    RegisteredModel.objects.filter(pk=model.pk).update(config=first)
    if seen is not None:
        change_facts(model, _first_facts(seen), code="registered", actor=actor, at=now(), message=seen.reason)
    wake(model.provider_id)


def _first_facts(seen: RemoteModel) -> dict[str, Any]:
    # A failure from before we knew the model is not our failure: it is simply not loaded.
    observed = Observed.UNLOADED if seen.state == RemoteState.FAILED else Observed(seen.state.value)
    return {"observed": observed, "wanted": seen.state in (RemoteState.READY, RemoteState.LOADING)}


@retrying_transaction
def update_model(
    model: RegisteredModel, changes: dict[str, Any], *, actor: str, edition: int | None = None
) -> RegisteredModel:
    """Change editable fields. Raises Invalid, EditConflict, or ModelInUse.

    Provider and remote name of a wanted, loaded or leased model stay as they are.
    """
    changes = {field: value for field, value in changes.items() if field in EDITABLE}
    moves = any(field in changes and changes[field] != getattr(model, field) for field in IDENTITY)
    for field, value in changes.items():
        setattr(model, field, value)
    model.on_gpu = model.provider.is_triton
    _refuse_invalid(model)
    if moves:
        changes |= {"on_gpu": model.on_gpu, "observed": Observed.UNKNOWN, "error_code": "", "error_message": ""}
        _refuse_moving(model)
    try:
        edit(model, changes, edition=edition)
    except IntegrityError as error:
        raise RemoteTaken(_("Another model stands for this object of the provider.")) from error
    wake(model.provider_id)
    return model


def _refuse_moving(model: RegisteredModel) -> None:
    # A conditional UPDATE: whoever switches it on or leases it meanwhile comes second and sees the move.
    if not RegisteredModel.objects.filter(_at_rest(), pk=model.pk).update(revision=F("revision") + 1):
        raise ModelInUse(_("Switch the model off and wait until it is unloaded, then change what it stands for."))


def _at_rest() -> Q:
    return Q(wanted=False, open_leases=0) & ~Q(observed__in=RESIDENT, on_gpu=True)


def _has_provider(model: RegisteredModel) -> bool:
    return model.provider_id is not None


def _refuse_invalid(model: RegisteredModel) -> None:
    extra: list[tuple[str, str, str]] = []
    if _has_provider(model) and model.provider.deleted_at is not None:
        extra.append(("provider", "does_not_exist", _("This provider is deleted.")))
    if model.on_gpu:
        never = why_it_never_fits(model.gpu_memory_mb, server_mb=model.provider.gpu_memory_mb)
        extra += [("gpu_memory_mb", *never)] if never else []
        if model.remote_version and not model.remote_version.isdecimal():
            extra.append(("remote_version", "invalid", _("A version at a Triton server is a number.")))
    if model.activation_policy == Policy.SCHEDULED:
        extra.append(
            ("activation_policy", "no_window", _("A scheduled model needs a window, and none can be set yet."))
        )
    extra += _tag_errors(model.tags)
    refuse_invalid(model, *extra, exclude=["tags"])


def _tag_errors(tags: Any) -> list[tuple[str, str, str]]:
    fine = isinstance(tags, list) and len(tags) <= 50
    if fine and all(isinstance(tag, str) and 0 < len(tag) <= 50 and '"' not in tag for tag in tags):
        return []
    return [("tags", "invalid", _("Give at most 50 tags of 1 to 50 characters, without quotation marks."))]


@retrying_transaction
def delete_model(model: RegisteredModel, *, actor: str) -> None:
    """Soft-delete a model. Raises ModelInUse while it is leased, bound or (Triton) wanted or resident."""
    at = now()
    free = _at_rest() & Q(bindings=0) if model.on_gpu else Q(open_leases=0, bindings=0)
    rows = RegisteredModel.objects.filter(free, pk=model.pk)
    if rows.update(deleted_at=at, wanted=False, switch_state=SwitchState.OFF, revision=F("revision") + 1):
        return
    model.refresh_from_db()
    if model.deleted_at is None:
        raise ModelInUse(_why_it_stays(model))


def _why_it_stays(model: RegisteredModel) -> str:
    reasons = []
    if model.open_leases:
        reasons.append(_("it is in use (%(n)d open leases)") % {"n": model.open_leases})
    if model.bindings:
        reasons.append(_("clients are set up to use it (%(n)d bindings)") % {"n": model.bindings})
    if model.wanted:
        reasons.append(_("it is switched on"))
    if model.observed in RESIDENT:
        reasons.append(_("it is on the GPU (%(state)s)") % {"state": model.get_observed_display()})
    return _("“%(name)s” stays: %(reasons)s.") % {"name": model.name, "reasons": "; ".join(reasons)}


@retrying_transaction
def restore_model(model: RegisteredModel, *, actor: str) -> RegisteredModel:
    """Bring a deleted model back, switched off. Raises NameTaken, RemoteTaken or ProviderDeleted."""
    if model.deleted_at is None:
        return model
    if model.provider.deleted_at is not None:
        raise ProviderDeleted(_("Restore its provider %(name)s first.") % {"name": model.provider.name})
    if RegisteredModel.objects.filter(name=model.name).exists():
        raise NameTaken(_("Another model is called %(name)s now.") % {"name": model.name})
    same = RegisteredModel.objects.filter(provider=model.provider_id, live_remote=model.remote_name)
    if model.on_gpu and same.exists():
        raise RemoteTaken(_("Another model stands for this object of the provider now."))
    RegisteredModel.all_objects.filter(pk=model.pk).update(
        deleted_at=None,
        observed=Observed.UNKNOWN,
        error_code="",
        error_message="",
        switch_state=SwitchState.OFF,
        switch_until=None,
        revision=F("revision") + 1,
    )
    model.refresh_from_db()
    wake(model.provider_id)
    return model
