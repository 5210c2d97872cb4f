"""Configuration versions: making them, and making one of them current."""

from datetime import datetime
from enum import Enum, auto
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid, NotFound
from modelmanager.lib.retry import retrying_transaction
from models_registry import in_force
from models_registry.auditing import record
from models_registry.config_documents import errors_of
from models_registry.facts import change_facts
from models_registry.json_pointers import diff
from models_registry.load_settings import load_alike
from models_registry.models import ConfigUse, ConfigVersion, RegisteredModel
from models_registry.refusals import ConfigConflict
from models_registry.services.switching import FORGIVEN
from models_registry.vocabulary import RESIDENT, SYSTEM, AuditAction, Observed
from models_registry.waking import wake


class Effect(Enum):
    """What applying a version does to a model as it is now."""

    AT_ONCE = auto()
    RELOADS = auto()
    AT_NEXT_LOAD = auto()


@retrying_transaction
def create_version(
    model: RegisteredModel,
    values: dict[str, Any],
    *,
    actor: str,
    comment: str = "",
    apply: bool = False,
    based_on: int | None = None,
    edition: int | None = None,
) -> ConfigVersion:
    """Make a version of `values`, the same ones again if so; with `apply` make it current, too.

    `based_on` is the version that was edited: anything newer refuses. So does another `edition` of the model.
    Raises NotFound, Invalid with all errors of the document, or ConfigConflict.
    """
    model = _held(model)
    refuse_unfit(model, values)
    head = head_of(model)
    if edition not in (None, model.edition) or (head is not None and based_on not in (None, head.number)):
        raise _conflict(head, values)
    number = (model.configs.values_list("number", flat=True).first() or 0) + 1
    version = ConfigVersion.objects.create(
        model=model, number=number, values=values, comment=comment, created_by=actor[:150]
    )
    if apply:
        _make_current(model, version, actor=actor, reason=comment, at=now())
    _raise_edition(model)
    return version


@retrying_transaction
def apply_version(
    model: RegisteredModel, number: int, *, actor: str, reason: str = "", edition: int | None = None
) -> ConfigVersion:
    """Make a version current, an older one as well; the current one again changes nothing.

    A Triton model that is loaded with other load settings is reloaded: no new leases from now on, and when
    those that are open have ended, at the latest after its drain time, it is unloaded and loaded anew.
    Raises NotFound, Invalid when the document no longer fits the model, or ConfigConflict.
    """
    model = _held(model)
    version = version_of(model, number)
    if edition not in (None, model.edition):
        raise _conflict(head_of(model), version.values)
    if version.pk != model.config_id:
        refuse_unfit(model, version.values)
        _make_current(model, version, actor=actor, reason=reason, at=now())
        _raise_edition(model)
    return version


def version_of(model: RegisteredModel, number: int) -> ConfigVersion:
    """The version of that number. Raises NotFound."""
    version = ConfigVersion.objects.filter(model=model, number=number).first()
    if version is None:
        raise NotFound(_("There is no such configuration version."))
    version.model = model
    return version


def refuse_unfit(model: RegisteredModel, values: Any) -> None:
    """Raise Invalid with every error of a document, by the schema of the model's kind."""
    if errors := errors_of(values, kind=model.kind, on_triton=model.on_gpu):
        raise Invalid(*errors)


def head_of(model: RegisteredModel) -> ConfigVersion | None:
    """What an edit goes on from: the version that was made last, or made current last, whichever came later."""
    newest = ConfigVersion.objects.filter(model=model).first()
    last_use = ConfigUse.objects.filter(model=model).select_related("config").first()
    if last_use is None or (newest is not None and newest.number > last_use.newest):
        return newest
    return last_use.config


def applying(model: RegisteredModel, version: ConfigVersion) -> dict[str, Any]:
    """What making a version current changes about a model.

    What is loaded in the same way counts as loaded with this version. Errors of earlier tries are forgiven:
    a new version is a new try.
    """
    changes: dict[str, Any] = {"config_id": version.pk}
    loaded = model.loaded_config or (model.config if model.observed == Observed.READY else None)
    if model.on_gpu and loaded is not None and load_alike(loaded.values, version.values):
        changes["loaded_config_id"] = version.pk
    if model.observed != Observed.READY:
        changes |= {"failures": 0, "retry_at": None}
        changes |= {"error_code": ""} if model.error_code in FORGIVEN else {}
    return changes


def note_roll_back(model: RegisteredModel, config_id: int | None, *, reason: str, at: datetime) -> None:
    """Write that a version is current again because a later one could not be loaded; its caller changes the facts."""
    back = ConfigVersion.objects.get(pk=config_id or 0)
    failed = model.config.number if model.config else None
    why = f"version {failed} did not load: {reason}"
    in_force.note_applied(model, back.pk, actor=SYSTEM, at=at, reason=why)
    told = {"config": {"from": failed, "to": back.number}}
    record(model, AuditAction.CHANGED, actor=SYSTEM, changes=told, reason=why)
    _raise_edition(model)


def effect_of(model: RegisteredModel, version: ConfigVersion) -> Effect:
    """What applying the version would do now: a loaded Triton model is reloaded for other load settings."""
    if not model.on_gpu:
        return Effect.AT_ONCE
    if model.observed not in RESIDENT:
        return Effect.AT_NEXT_LOAD
    loaded = model.loaded_config or model.config
    return Effect.AT_ONCE if loaded is None or load_alike(loaded.values, version.values) else Effect.RELOADS


def _held(model: RegisteredModel) -> RegisteredModel:
    """The model's row, held until the transaction ends: versions are numbered and applied one after the other."""
    held = RegisteredModel.objects.select_for_update().filter(pk=model.pk).first()
    if held is None:
        raise NotFound(_("There is no such model."))
    return held


def _make_current(model: RegisteredModel, version: ConfigVersion, *, actor: str, reason: str, at: datetime) -> None:
    before = model.config.number if model.config else None
    in_force.note_applied(model, version.pk, actor=actor, at=at, reason=reason)
    message = f"version {version.number}" + (f": {reason}" if reason else "")
    if not change_facts(model, applying(model, version), code="config_applied", message=message, actor=actor, at=at):
        raise AssertionError("a locked model changed")
    told = {"config": {"from": before, "to": version.number}}
    record(model, AuditAction.CHANGED, actor=actor, changes=told, reason=reason)
    wake(model.provider_id)


def _raise_edition(model: RegisteredModel) -> None:
    RegisteredModel.objects.filter(pk=model.pk).update(edition=F("edition") + 1, updated_at=now())
    model.edition += 1


def _conflict(head: ConfigVersion | None, values: dict[str, Any]) -> ConfigConflict:
    """The refusal that shows both: the version there is now, and what was sent as its difference from that."""
    detail = _("Somebody changed the configuration in the meantime: compare, then repeat your change on top of it.")
    found = diff(head.values if head else {}, values)
    told = {"added": found.added, "removed": found.removed, "changed": found.changed}
    return ConfigConflict(detail, row=head, diff=told)
