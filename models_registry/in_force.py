"""Which configuration version was in force when: what a lease granted at that time carries.

For an API model that is the current version from the moment it is applied. For a Triton model it is the
version that is loaded: another one comes into force when a load with it has succeeded, or at once when it
differs in nothing that is loaded. While nothing is loaded, the one loaded last remains.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from models_registry.models import ConfigUse, ConfigVersion, RegisteredModel
from models_registry.vocabulary import SYSTEM, Observed


class InForce:
    """The history of some models, read by one query."""

    def __init__(self, model_ids: Iterable[int]) -> None:
        uses = ConfigUse.objects.filter(model__in=set(model_ids), since__isnull=False)
        self._since: dict[int, list[datetime]] = {}
        self._versions: dict[int, list[ConfigVersion]] = {}
        for use in uses.select_related("config").defer("config__values").order_by("model", "since", "id"):
            self._since.setdefault(use.model_id, []).append(use.since)  # type: ignore[arg-type]
            self._versions.setdefault(use.model_id, []).append(use.config)

    def at(self, model_id: int, at: datetime) -> ConfigVersion | None:
        """The version in force at that time, before the first one the first; None for a model without any."""
        versions = self._versions.get(model_id)
        if versions is None:
            return None
        return versions[max(0, bisect_right(self._since[model_id], at) - 1)]


def use_at(model: RegisteredModel, at: datetime) -> ConfigUse | None:
    """The use that was in force at that time, with its version; None before there was any."""
    uses = ConfigUse.objects.filter(model=model, since__lte=at).select_related("config__model")
    return uses.order_by("-since", "-id").first()


def runs_with(*, on_gpu: bool, observed: str, config_id: int | None, loaded_config_id: int | None) -> int | None:
    """The version that a use of the model runs with now; None while nothing runs, which changes no history. Pure.

    What is loaded only to be loaded anew with the current version gives no lease, and comes into force for nobody.
    """
    if not on_gpu:
        return config_id
    return config_id if observed == Observed.READY and loaded_config_id in (None, config_id) else None


def to_go_back_to(model: RegisteredModel) -> int | None:
    """The version that a reload puts another in the place of: the loaded one, as somebody made it current.

    Of a model that was loaded without load settings only to learn its server's own, the one in force before.
    """
    ran = Q(since__isnull=False) | Q(config=model.loaded_config_id)
    return ConfigUse.objects.filter(ran, model=model).values_list("config_id", flat=True).first()


def note(model: RegisteredModel, config_id: int, *, at: datetime) -> None:
    """Write that this version is in force from now on, unless it is already; in the transaction that makes it so."""
    uses = ConfigUse.objects.filter(model=model)
    last = uses.filter(since__isnull=False).order_by("-since", "-id").first()
    # One from before the last is a try that never loaded, and stays that.
    waiting = uses.filter(config=config_id, since__isnull=True, pk__gt=0 if last is None else last.pk).first()
    if waiting is not None:
        uses.filter(pk=waiting.pk).update(since=at)
    elif last is None or last.config_id != config_id:
        note_applied(model, config_id, actor=SYSTEM, at=at, since=at)


def note_applied(
    model: RegisteredModel,
    config_id: int,
    *,
    actor: str,
    at: datetime,
    reason: str = "",
    since: datetime | None = None,
) -> None:
    """Write that somebody made this version current; in the transaction that does so, which holds the model's row."""
    newest = ConfigVersion.objects.filter(model=model).values_list("number", flat=True).first() or 1
    ConfigUse.objects.create(
        model=model, config_id=config_id, newest=newest, at=at, actor=actor[:150], reason=reason[:500], since=since
    )


def note_first(models: Iterable[RegisteredModel], *, actor: str) -> None:
    """Write that models which were stored just now began with their first version, by one statement."""
    uses = [
        ConfigUse(
            model=model, config=model.config, newest=1, at=model.created_at, actor=actor[:150], since=model.created_at
        )
        for model in models
        if model.config is not None
    ]
    ConfigUse.objects.bulk_create(uses)
