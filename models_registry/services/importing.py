"""Registering many models of a provider at once, from what it offers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid, NameTaken
from modelmanager.lib.retry import retrying_transaction
from models_registry import gateways
from models_registry.guessing import is_prefix, kind_for, name_for
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.errors import ProviderRefused
from models_registry.providers.observation import RemoteModel, RemoteState
from models_registry.refusals import ProviderDeleted
from models_registry.services.inserting import insert_models
from models_registry.services.looking import CatalogEntry, listed
from models_registry.services.model_rules import rule_errors
from models_registry.services.registration import begin
from models_registry.vocabulary import ModelKind, Policy
from models_registry.waking import wake

AT_ONCE = 1000
RELATIONS = ("provider", "window", "config", "loaded_config")


class Outcome(StrEnum):
    """What becomes of one model of an import."""

    CREATED = "created"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True)
class Wish:
    """Which models are to be imported, and as what.

    Without `remote_names` all that is offered; of either, what fits `pattern` (as of file names, * and ?).
    Names are the provider's after `prefix`. Without `kind` it is guessed from the name.
    """

    pattern: str = ""
    remote_names: Sequence[str] | None = None
    prefix: str = ""
    kind: str = ""
    activation_policy: str = Policy.MANUAL
    gpu_memory_mb: int | None = None


@dataclass(frozen=True)
class Line:
    """One model: our name for it and its kind, what becomes or became of it, and why it was refused."""

    remote_name: str
    name: str
    outcome: Outcome
    kind: str = ""
    detail: str = ""


@dataclass
class Plan:
    """What an import will do: all lines, and the new models among them with what the provider says of each."""

    lines: list[Line] = field(default_factory=list)
    models: list[RegisteredModel] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)


def import_models(provider: Provider, wish: Wish, *, actor: str, dry_run: bool = False) -> list[Line]:
    """Register what the provider offers and `wish` asks for, by one transaction: all that is `created`, or nothing.

    What is registered already is skipped; what cannot be registered is refused, and hinders none of the others.
    With `dry_run` nothing is written. Raises Invalid, ProviderUnreachable or, when somebody takes one of the
    names meanwhile, NameTaken.
    """
    _refuse_invalid(wish)
    chosen = _chosen(provider, wish)
    plan = _plan(provider, wish, chosen, now())
    if not dry_run and plan.models:
        try:
            _insert(provider, plan, actor)
        except IntegrityError as error:
            raise NameTaken(_("Somebody registered one of these models just now: try again.")) from error
    return plan.lines


def _refuse_invalid(wish: Wish) -> None:
    if wish.activation_policy == Policy.SCHEDULED:
        detail = _("A scheduled model needs a window: import it as manual or on demand, then give it one.")
        raise Invalid.of("activation_policy", detail)
    if not is_prefix(wish.prefix):
        raise Invalid.of("prefix", _("Use a–z, 0–9, dot, underscore and hyphen."), code="invalid_name")


def _chosen(provider: Provider, wish: Wish) -> list[CatalogEntry]:
    """What is asked for, in the order of the catalog. Raises ProviderUnreachable, or Invalid when it is too much."""
    if wish.remote_names is not None and len(wish.remote_names) > AT_ONCE:
        raise Invalid.of("remote_names", _too_many(len(wish.remote_names)), code="max_length")
    entries = _offered(provider, wish)
    if wish.pattern:
        entries = [entry for entry in entries if fnmatchcase(entry.remote_name.lower(), wish.pattern.lower())]
    if len(entries) > AT_ONCE:
        raise Invalid.of("pattern", _too_many(len(entries)))
    return entries


def _too_many(number: int) -> str:
    text = _("%(n)d models are too many: import at most %(most)d at once, by a pattern that fits fewer.")
    return text % {"n": number, "most": AT_ONCE}


def _offered(provider: Provider, wish: Wish) -> list[CatalogEntry]:
    catalog = listed(provider)
    if wish.remote_names is None:
        if catalog is None:
            message = _("It has no list of its deployments for a caller with a key: name those to import.")
            raise gateways.unreachable(provider, ProviderRefused(message))
        return catalog
    names = dict.fromkeys(wish.remote_names)
    if catalog is None:  # nobody can tell: they are taken at their word
        known = dict(RegisteredModel.objects.filter(provider=provider).values_list("remote_name", "name"))
        return [CatalogEntry(name, RemoteState.READY.value, "", known.get(name)) for name in names]
    entries = {entry.remote_name: entry for entry in catalog}
    return [entries.get(name) or CatalogEntry(name, RemoteState.ABSENT.value, "", None) for name in names]


def _plan(provider: Provider, wish: Wish, entries: list[CatalogEntry], at: datetime) -> Plan:
    names = [name_for(entry.remote_name, prefix=wish.prefix) for entry in entries]
    taken = set(RegisteredModel.objects.filter(live_name__in=set(names)).values_list("name", flat=True))
    plan = Plan()
    for entry, name in zip(entries, names, strict=True):
        if entry.registered_as is not None:
            plan.lines.append(Line(entry.remote_name, entry.registered_as, Outcome.SKIPPED))
            continue
        model = _model(provider, wish, entry, name)
        detail = _why_not(entry, model, taken)
        outcome = Outcome.REFUSED if detail else Outcome.CREATED
        plan.lines.append(Line(entry.remote_name, name, outcome, str(model.kind), detail))
        if not detail:
            taken.add(name)
            begin(model, RemoteModel(entry.remote_name, RemoteState(entry.state), entry.reason), at=at)
            plan.models.append(model)
            plan.messages[name] = entry.reason
    return plan


def _model(provider: Provider, wish: Wish, entry: CatalogEntry, name: str) -> RegisteredModel:
    return RegisteredModel(
        name=name,
        provider=provider,
        remote_name=entry.remote_name,
        kind=ModelKind(wish.kind) if wish.kind else kind_for(entry.underlying, entry.remote_name),
        activation_policy=wish.activation_policy,
        gpu_memory_mb=wish.gpu_memory_mb,
        on_gpu=provider.is_triton,
    )


def _why_not(entry: CatalogEntry, model: RegisteredModel, taken: set[str]) -> str:
    """Why the model cannot be registered, or empty. Asks the database nothing."""
    if entry.state == RemoteState.ABSENT:
        return _("The provider does not offer it.")
    if entry.reason and not model.on_gpu:
        return _("It cannot be used now: %(reason)s.") % {"reason": entry.reason}
    if not model.name:
        return _("No name can be made of it: register it by itself under one of your own.")
    if model.name in taken:
        return _("The name %(name)s is taken: register it by itself under another.") % {"name": model.name}
    try:
        model.clean_fields(exclude={*RELATIONS, "tags"})
    except ValidationError as problem:
        return " ".join(problem.messages)
    return " ".join(detail for _field, _code, detail in rule_errors(model))


@retrying_transaction
def _insert(provider: Provider, plan: Plan, actor: str) -> None:
    if not Provider.objects.filter(pk=provider.pk).update(updated_at=now()):  # held, and not to be deleted meanwhile
        raise ProviderDeleted(_("%(name)s was deleted.") % {"name": provider.name})
    insert_models(plan.models, messages=plan.messages, actor=actor)
    wake(provider.pk)
