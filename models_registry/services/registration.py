"""Registering, changing, deleting and restoring models."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid, NameTaken, NotFound
from modelmanager.lib.retry import retrying_transaction
from models_registry import gateways
from models_registry.auditing import record
from models_registry.facts import change_facts, start_with, tell_deleted
from models_registry.in_force import note
from models_registry.models import Provider, RegisteredModel, ServerConfig
from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.refusals import ModelInUse, ProviderDeleted, RemoteTaken, WindowDeleted
from models_registry.services.inserting import insert_models
from models_registry.services.model_rules import rule_errors
from models_registry.services.prices import PRICES, keep_prices
from models_registry.services.switching import turn
from models_registry.services.windows import hold
from models_registry.validation import edit, refuse_invalid, refuse_stale
from models_registry.vocabulary import RESIDENT, AuditAction, Observed, SwitchState
from models_registry.waking import wake
from models_registry.wanted import Switch

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
    "window",
    "idle_ttl_s",
    "input_price",
    "output_price",
    "tags",
]
IDENTITY = ("provider", "remote_name", "remote_version")
NOTHING_KNOWN = {"observed": Observed.UNKNOWN, "error_code": "", "failures": 0, "retry_at": None}


def register_model(*, actor: str, verify: bool = True, switch: Switch | None = None, **fields: Any) -> RegisteredModel:
    """Register a model with configuration version 1 (`{}`), switched as `switch` says.

    With `verify` the provider is asked whether it offers the model, and one found loaded on a Triton server
    is switched on, so that registering a running server stops nothing. Raises Invalid or ProviderUnreachable.
    """
    model = RegisteredModel(**fields)
    model.on_gpu = _has_provider(model) and model.provider.is_triton
    _refuse_invalid(model)
    seen = _seen(model) if verify else None
    if seen is not None:
        begin(model, seen, at=now())
    try:
        _insert(model, seen, switch, actor)
    except IntegrityError as error:
        raise Invalid.of(
            "name", _("A model of this name or remote name was registered just now."), code="unique"
        ) from error
    return RegisteredModel.objects.select_related("provider", "config", "window").get(pk=model.pk)


def _seen(model: RegisteredModel) -> RemoteModel:
    """What the server says of a model about to be registered. Raises Invalid when it is not listed."""
    gateways.refuse_disabled(model.provider)
    seen = gateways.look_up(model.provider, model.remote_name)
    if seen.state == RemoteState.ABSENT:
        detail = _("%(provider)s does not list “%(remote)s”: look at its catalog for what it offers.")
        raise Invalid.of(
            "remote_name",
            detail % {"provider": model.provider.name, "remote": model.remote_name},
            code="not_listed",
        )
    if seen.versions_ready and model.remote_version not in ("", *seen.versions_ready):
        detail = _("%(provider)s serves “%(remote)s” in version %(served)s.")
        served = ", ".join(seen.versions_ready)
        values = {"provider": model.provider.name, "remote": model.remote_name, "served": served}
        raise Invalid.of("remote_version", detail % values, code="not_listed")
    return seen


@retrying_transaction
def _insert(model: RegisteredModel, seen: RemoteModel | None, switch: Switch | None, actor: str) -> None:
    _hold_provider(model)
    _hold_window(model)
    messages = {} if seen is None else {model.name: seen.reason}
    insert_models([model], messages=messages, actor=actor)
    if switch is not None:
        turn(model, switch, actor=actor)
    wake(model.provider_id)


def _hold_window(model: RegisteredModel) -> None:
    if model.window_id is not None and not hold(model.window_id):
        raise Invalid.of("window", _("This window was deleted."), code="does_not_exist")


def begin(model: RegisteredModel, seen: RemoteModel, *, at: datetime) -> None:
    """Let a model that is about to be stored begin with what its provider said of it.

    One that takes room on a GPU is wanted by somebody already: it is switched on.
    """
    runs = model.on_gpu and seen.state in (RemoteState.READY, RemoteState.LOADING)
    if runs:
        model.switch_state = SwitchState.ON
    # A failure from before we knew the model is not our failure: it is simply not loaded.
    observed = Observed.UNLOADED if seen.state == RemoteState.FAILED else Observed(seen.state.value)
    start_with(model, {"observed": observed, "wanted": runs}, at)


@retrying_transaction
def change_model(
    model: RegisteredModel,
    changes: dict[str, Any],
    *,
    actor: str,
    edition: int | None = None,
    switch: Switch | None = None,
) -> RegisteredModel:
    """Change editable fields and turn the switch: both, or neither. Raises what these two raise."""
    if changes:
        model = update_model(model, changes, actor=actor, edition=edition)
    else:
        refuse_stale(_read_again(model), edition=edition)
    return model if switch is None else turn(model, switch, actor=actor)


@retrying_transaction
def update_model(
    model: RegisteredModel, changes: dict[str, Any], *, actor: str, edition: int | None = None
) -> RegisteredModel:
    """Change editable fields. Raises NotFound, Invalid, EditConflict, or ModelInUse.

    Provider and remote name of a wanted, loaded or leased model stay as they are.
    """
    model = _read_again(model)  # this may be the second try of the transaction
    refuse_stale(model, edition=edition)
    changes = {field: value for field, value in changes.items() if field in EDITABLE}
    moves = any(field in changes and changes[field] != getattr(model, field) for field in IDENTITY)
    for field, value in changes.items():
        setattr(model, field, value)
    model.on_gpu = model.provider.is_triton
    _refuse_invalid(model)
    if moves:
        _hold_provider(model)
    if changes.get("window") is not None:
        _hold_window(model)
    if moves:
        _forget_facts(model, actor)
        changes |= {"on_gpu": model.on_gpu, "revision": F("revision") + 1}
    try:
        edit(model, changes, actor=actor, edition=edition)
    except IntegrityError as error:
        raise RemoteTaken(_("Another model stands for this object of the provider.")) from error
    if not changes.keys().isdisjoint(PRICES):
        keep_prices(model, since=now())
    if moves and not model.on_gpu and model.config_id is not None:
        note(model, model.config_id, at=now())  # what was applied and never loaded is in force at an API provider
    wake(model.provider_id)
    return model


def _read_again(model: RegisteredModel) -> RegisteredModel:
    rows = RegisteredModel.objects.select_related("provider", "config", "window")
    found = rows.filter(pk=model.pk).first()
    if found is None:
        raise NotFound(_("There is no such model."))
    return found


def _forget_facts(model: RegisteredModel, actor: str) -> None:
    """Nothing is known of what a model at rest will stand for from now on. Raises ModelInUse."""
    # Locked while at rest: whoever switches it on or leases it meanwhile comes second and sees the move.
    resting = RegisteredModel.objects.select_for_update().filter(_at_rest(), pk=model.pk).first()
    if resting is None:
        raise ModelInUse(_("Switch the model off and wait until it is unloaded, then change what it stands for."))
    change_facts(resting, NOTHING_KNOWN, code="moved", actor=actor, at=now())
    ServerConfig.objects.filter(model=resting).delete()


def _hold_provider(model: RegisteredModel) -> None:
    """Keep the model's provider from being deleted before this transaction ends. Raises Invalid when it is."""
    if not _provider_is_held(model):
        raise Invalid.of("provider", _("This provider was deleted."))


def _provider_is_held(model: RegisteredModel) -> bool:
    return bool(Provider.objects.filter(pk=model.provider_id).update(updated_at=now()))


def _at_rest() -> Q:
    return Q(wanted=False, open_leases=0) & ~Q(observed__in=RESIDENT, on_gpu=True)


def _has_provider(model: RegisteredModel) -> bool:
    return model.provider_id is not None


def _refuse_invalid(model: RegisteredModel) -> None:
    refuse_invalid(model, *rule_errors(model), exclude=["tags"])


@retrying_transaction
def delete_model(model: RegisteredModel, *, actor: str, edition: int | None = None) -> None:
    """Soft-delete a model. Raises ModelInUse while it is leased, bound or (Triton) wanted or resident, or
    EditConflict.
    """
    at = now()
    free = _at_rest() & Q(bindings=0) if model.on_gpu else Q(open_leases=0, bindings=0)
    rows = RegisteredModel.objects.filter(free, pk=model.pk)
    rows = rows if edition is None else rows.filter(edition=edition)
    deleted = rows.update(deleted_at=at, wanted=False, switch_state=SwitchState.OFF, revision=F("revision") + 1)
    model.refresh_from_db()
    if deleted:
        tell_deleted(model, actor=actor, at=at)
        record(model, AuditAction.DELETED, actor=actor)
        return
    if model.deleted_at is None:
        refuse_stale(model, edition=edition)
        raise ModelInUse(_why_it_stays(model))


def _why_it_stays(model: RegisteredModel) -> str:
    reasons = []
    if model.open_leases:
        reasons.append(_("it is in use (%(n)d open leases)") % {"n": model.open_leases})
    if model.bindings:
        reasons.append(_("clients are set up to use it (%(n)d bindings)") % {"n": model.bindings})
    if model.wanted and model.on_gpu:
        reasons.append(_("it is switched on"))
    if model.observed in RESIDENT and model.on_gpu:
        reasons.append(_("it is on the GPU (%(state)s)") % {"state": model.get_observed_display()})
    return _("“%(name)s” cannot be deleted: %(reasons)s.") % {"name": model.name, "reasons": "; ".join(reasons)}


@retrying_transaction
def restore_model(model: RegisteredModel, *, actor: str) -> RegisteredModel:
    """Bring a deleted model back, switched off. Raises NameTaken, RemoteTaken, ProviderDeleted or WindowDeleted."""
    if model.deleted_at is None:
        return model
    if not _provider_is_held(model):
        raise ProviderDeleted(_("Restore its provider %(name)s first.") % {"name": model.provider.name})
    if model.window is not None and not hold(model.window.pk):
        raise WindowDeleted(_("Restore its window %(name)s first.") % {"name": model.window.name})
    if RegisteredModel.objects.filter(name=model.name).exists():
        raise NameTaken(_("Another model is called %(name)s now.") % {"name": model.name})
    same = RegisteredModel.objects.filter(provider=model.provider_id, live_remote=model.remote_name)
    if model.on_gpu and same.exists():
        raise RemoteTaken(_("Another model stands for this object of the provider now."))
    off = {"switch_state": SwitchState.OFF, "switch_until": None, "demand_until": None}
    try:
        change_facts(model, {"deleted_at": None} | off | NOTHING_KNOWN, code="restored", actor=actor, at=now())
    except IntegrityError as error:
        raise NameTaken(_("Another model took the name or its object just now.")) from error
    record(model, AuditAction.RESTORED, actor=actor)
    model.refresh_from_db()
    wake(model.provider_id)
    return model
