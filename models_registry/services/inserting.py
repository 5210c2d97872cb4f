"""Storing new models with all that belongs to one: the same for one and for five hundred."""

from collections.abc import Mapping, Sequence

from django.db.models import F, OuterRef, Subquery

from modelmanager.lib.clock import now
from models_registry.auditing import record_created
from models_registry.facts import tell_started
from models_registry.in_force import note_first
from models_registry.models import ConfigVersion, RegisteredModel
from models_registry.services.prices import keep_first_prices
from models_registry.vocabulary import Observed


def insert_models(models: Sequence[RegisteredModel], *, messages: Mapping[str, str], actor: str) -> None:
    """Store the models with configuration version 1 (`{}`), prices, events and entries in the audit trail.

    `messages` holds, by name, what was heard of those whose provider was asked: they begin with the facts they
    carry. The number of statements does not grow with that of the models, but for what one statement can hold.
    Call it in a transaction. Raises IntegrityError.
    """
    for model in models:
        model.pk = None  # this may be the second try of the transaction
        model.config = model.loaded_config = None
    RegisteredModel.objects.bulk_create(models)
    _read_numbers(models)
    record_created(models, actor=actor)
    _begin_with_a_first_version(models, actor)
    _note_what_is_loaded(models)
    keep_first_prices(models)
    note_first(models, actor=actor)
    tell_started(models, messages=messages, actor=actor, at=now())


def _read_numbers(models: Sequence[RegisteredModel]) -> None:
    """MySQL does not return the numbers of many rows at once."""
    if all(model.pk is not None for model in models):
        return
    names = [model.name for model in models]
    numbers = dict(RegisteredModel.objects.filter(live_name__in=names).values_list("name", "pk"))
    for model in models:
        model.pk = numbers[model.name]


def _begin_with_a_first_version(models: Sequence[RegisteredModel], actor: str) -> None:
    numbers = [model.pk for model in models]
    versions = [ConfigVersion(model=model, number=1, values={}, created_by=actor) for model in models]
    ConfigVersion.objects.bulk_create(versions)
    first = ConfigVersion.objects.filter(model=OuterRef("pk"), number=1)
    RegisteredModel.objects.filter(pk__in=numbers).update(config=Subquery(first.values("pk")[:1]))
    firsts = {config.model_id: config for config in ConfigVersion.objects.filter(model__in=numbers, number=1)}
    for model in models:
        model.config = firsts[model.pk]


def _note_what_is_loaded(models: Sequence[RegisteredModel]) -> None:
    """Somebody else loaded what was found loaded: as the first version has it."""
    loaded = [model for model in models if model.on_gpu and model.observed == Observed.READY]
    if loaded:
        RegisteredModel.objects.filter(pk__in=[model.pk for model in loaded]).update(loaded_config=F("config"))
    for model in loaded:
        model.loaded_config = model.config
