"""Who asks for a lease, and what asking makes of a model: it may become wanted, or stay so for longer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from modelmanager.lib.retry import retrying_transaction
from models_registry.facts import change_facts_as_system
from models_registry.models import RegisteredModel
from models_registry.vocabulary import Policy
from models_registry.waking import wake
from models_registry.wanting import evaluate
from usage.hot_path import find_model
from usage.refusals import ModelNotFound
from usage.services.reasons import RETRY_AFTER_S, inactive


@dataclass(frozen=True)
class Request:
    """Who asks, and for how long. `may_have_key`: an API provider's key may be handed out with the lease.

    `waits_until` is set while the request is held; `has_hung_up` tells whether nobody is there for its answer.
    """

    client_id: int
    ttl_s: int = 60
    wait_s: float = 0
    instance: str = ""
    client_name: str = ""
    may_have_key: bool = False
    waits_until: datetime | None = None
    has_hung_up: Callable[[], bool] = lambda: False


def find_wanted(name: str, request: Request, at: datetime) -> RegisteredModel:
    """The model as it is now, wanted (on demand: by this request). Raises ModelNotFound or ModelInactive."""
    model = find_model(name)
    if model is None:
        raise ModelNotFound(_("There is no model called “%(name)s”.") % {"name": name[:100]})
    if not _bring_wanted_up_to_date(model, request, at):
        raise inactive(model, at)
    return model


def _bring_wanted_up_to_date(model: RegisteredModel, request: Request, at: datetime) -> bool:
    """Write `wanted` where the rules now say otherwise; an on-demand model becomes wanted by being asked for."""
    changes: dict[str, Any] = {}
    if model.activation_policy == Policy.ON_DEMAND and not evaluate(model, at):
        changes["demand_until"] = _until(request, at)
    is_wanted = evaluate(model, at, **changes)
    if is_wanted == model.wanted:
        return is_wanted
    if not is_wanted and evaluate(model, at, early=True):
        return False  # it is being loaded for an opening that is still to come
    changes["wanted"] = is_wanted
    idle = Q() if is_wanted else Q(open_leases=0)
    change_facts_as_system(model, changes, code="wanted" if is_wanted else "unwanted", at=at, only_if=idle)
    wake(model.provider_id)
    return is_wanted


def keep_wanted(model: RegisteredModel, request: Request, at: datetime) -> None:
    """Whoever waits, or is told to come back, keeps the demand up until then."""
    until = _until(request, at)
    # Written once a second at most: a request that waits asks ten times in one.
    if model.demand_until is not None and model.demand_until > until - timedelta(seconds=1):
        return
    rows = RegisteredModel.objects.filter(Q(demand_until__isnull=True) | Q(demand_until__lt=until), pk=model.pk)
    if retrying_transaction(rows.update)(demand_until=until):
        wake(model.provider_id)


def _until(request: Request, at: datetime) -> datetime:
    comes_back = at + timedelta(seconds=2 * RETRY_AFTER_S)
    return comes_back if request.waits_until is None else max(request.waits_until, comes_back)
