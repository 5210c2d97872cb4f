"""From what a client tells of its calls to rows: which model, which configuration, what it cost."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from models_registry.in_force import InForce
from models_registry.models import ConfigVersion, ModelPrice, RegisteredModel
from usage.models import Lease
from usage.reports import Batch, Fault, Report

AHEAD_AT_MOST = timedelta(minutes=5)


class Row(NamedTuple):
    """A usage record as it is stored, but for its id and when it was received."""

    client_id: int
    event_id: str
    model_id: int
    config_id: int
    lease_id: int | None
    latency_us: int
    outcome: str
    error_code: str
    input_tokens: int
    output_tokens: int
    cost: int
    occurred_at: datetime


class Life(NamedTuple):
    """One of the models that have had a name, and when it lived."""

    model_id: int
    created_at: datetime
    deleted_at: datetime | None


def who_was(lives: Sequence[Life], at: datetime) -> Life:
    """Whom a name meant at that time: who was live then, else who is live now, else who was deleted last."""

    def likelihood(life: Life) -> tuple[bool, bool, datetime]:
        was_live = life.created_at <= at and (life.deleted_at is None or life.deleted_at > at)
        return was_live, life.deleted_at is None, life.deleted_at or life.created_at

    return max(lives, key=likelihood)


def resolve(batch: Batch, *, client_id: int, at: datetime) -> list[Row]:
    """The rows that a client's reports stand for. Raises Invalid with what is wrong with any of them.

    A name means the model of the report's lease; without one, whom it meant when the call was made. A report
    without a configuration gets that of its lease; without one, what was in force when the call was made.
    """
    known = Known(batch.reports, client_id)
    batch.refuse(list(_faults(batch.reports, known, at)))
    models = [known.model_of(report) for report in batch.reports]
    prices, configs = Prices(models), Configs(models)
    return [
        _row(report, client_id, model_id, known.config_of(report, model_id, configs), prices)
        for report, model_id in zip(batch.reports, models, strict=True)
    ]


def _row(report: Report, client_id: int, model_id: int, config_id: int, prices: "Prices") -> Row:
    return Row(
        client_id,
        report.event_id,
        model_id,
        config_id,
        report.lease,
        report.latency_us,
        report.outcome,
        report.error_code,
        report.input_tokens,
        report.output_tokens,
        prices.cost(model_id, report),
        report.occurred_at,
    )


def _faults(reports: Sequence[Report], known: "Known", at: datetime) -> Iterator[Fault]:
    oldest, latest = at - timedelta(days=settings.USAGE_RETENTION_DAYS), at + AHEAD_AT_MOST
    for index, report in enumerate(reports):
        if report.occurred_at < oldest:
            yield Fault(index, "occurred_at", *too_old(oldest))
        elif report.occurred_at > latest:
            yield Fault(index, "occurred_at", "in_the_future", _("This time is still to come."))
        if report.model not in known.lives:
            yield Fault(index, "model", "does_not_exist", _("There is no model of this name."))
        elif report.lease is not None and (wrong := known.wrong_lease(report)):
            yield Fault(index, "lease", *wrong)
        elif report.config is not None and known.told_config(report) is None:
            yield Fault(index, "config", "does_not_exist", _("The model has no configuration of this number."))


def too_old(oldest: datetime) -> tuple[str, str]:
    """Code and text for a call of which records are no longer kept."""
    detail = _("Records are kept from %(time)s on: this call was before.")
    return "too_old", detail % {"time": oldest.isoformat(timespec="seconds")}


class LeaseFacts(NamedTuple):
    """What a lease says about the calls made under it."""

    client_id: int
    model_id: int
    model: str
    config_id: int


class Known:
    """What the database knows of the names, leases and configurations that some reports speak of."""

    def __init__(self, reports: Sequence[Report], client_id: int) -> None:
        self._client_id = client_id
        self.lives = _lives({report.model for report in reports})
        self._leases = _leases({report.lease for report in reports if report.lease is not None})
        numbers = {report.config for report in reports if report.config is not None}
        self._configs = _configs(self.lives, numbers) if numbers else {}

    def wrong_lease(self, report: Report) -> tuple[str, str] | None:
        """Code and text of what is wrong with a report's lease."""
        lease = self._leases.get(report.lease or 0)
        if lease is None or lease.client_id != self._client_id:
            return "does_not_exist", _("There is no such lease of yours.")
        if lease.model != report.model:
            return "invalid", _("This lease is one of “%(model)s”.") % {"model": lease.model}
        return None

    def model_of(self, report: Report) -> int:
        """The model that a report speaks of."""
        if report.lease is not None:
            return self._leases[report.lease].model_id
        lives = self.lives[report.model]
        return lives[0].model_id if len(lives) == 1 else who_was(lives, report.occurred_at).model_id

    def told_config(self, report: Report) -> int | None:
        """The configuration that a report names, if its model has it."""
        return self._configs.get((self.model_of(report), report.config or 0))

    def config_of(self, report: Report, model_id: int, configs: "Configs") -> int:
        """The configuration that a report's call was made with."""
        if report.config is not None:
            return self._configs[model_id, report.config]
        if report.lease is not None:
            return self._leases[report.lease].config_id
        return configs.at(model_id, report.occurred_at)


def _lives(names: Collection[str]) -> dict[str, list[Life]]:
    found: dict[str, list[Life]] = {}
    rows = RegisteredModel.all_objects.filter(name__in=names)
    for name, pk, created_at, deleted_at in rows.values_list("name", "pk", "created_at", "deleted_at"):
        found.setdefault(name, []).append(Life(pk, created_at, deleted_at))
    return found


def _leases(ids: Collection[int]) -> dict[int, LeaseFacts]:
    if not ids:
        return {}
    rows = Lease.objects.filter(pk__in=ids).order_by()
    found = rows.values_list("pk", "client_id", "model_id", "model__name", "config_id")
    return {facts[0]: LeaseFacts(*facts[1:]) for facts in found}


def _configs(lives: dict[str, list[Life]], numbers: Collection[int]) -> dict[tuple[int, int], int]:
    models = [life.model_id for those in lives.values() for life in those]
    rows = ConfigVersion.objects.filter(model__in=models, number__in=numbers).order_by()
    return {(model_id, number): pk for model_id, number, pk in rows.values_list("model_id", "number", "pk")}


class Configs:
    """The configurations that some models have had in force, read by one query."""

    def __init__(self, model_ids: Collection[int]) -> None:
        self._ids = set(model_ids)
        self._in_force = InForce(self._ids)

    def at(self, model_id: int, at: datetime) -> int:
        """The version in force at that time, and the first one where none has been so far."""
        version = self._in_force.at(model_id, at)
        return self._first[model_id] if version is None else version.pk

    @cached_property
    def _first(self) -> dict[int, int]:
        rows = ConfigVersion.objects.filter(model__in=self._ids).order_by("-number")
        return dict(rows.values_list("model", "pk"))


class Prices:
    """What the tokens of some models have cost, read by one query."""

    def __init__(self, model_ids: Iterable[int]) -> None:
        self._since: dict[int, list[datetime]] = {}
        self._prices: dict[int, list[tuple[Decimal | None, Decimal | None]]] = {}
        rows = ModelPrice.objects.filter(model__in=set(model_ids)).order_by("model", "since", "id")
        for model_id, since, *prices in rows.values_list("model", "since", "input_price", "output_price"):
            self._since.setdefault(model_id, []).append(since)
            self._prices.setdefault(model_id, []).append((prices[0], prices[1]))

    def cost(self, model_id: int, report: Report) -> int:
        """In millionths, to the nearest; at the prices in force then, before the first ones at the first."""
        prices = self._prices.get(model_id)
        if prices is None:
            return 0
        found = prices[max(0, bisect_right(self._since[model_id], report.occurred_at) - 1)]
        return cost(report.input_tokens, report.output_tokens, *found)


def cost(input_tokens: int, output_tokens: int, input_price: Decimal | None, output_price: Decimal | None) -> int:
    """Millionths of the currency's unit, to the nearest: a price per million tokens is the millionths of one token."""
    exact = input_tokens * (input_price or 0) + output_tokens * (output_price or 0)
    return int(exact) if isinstance(exact, int) else int(exact.quantize(Decimal(1), ROUND_HALF_UP))
