"""What `wanted` should be for a stored model, and what follows in its columns."""

from datetime import datetime
from typing import Any

from models_registry.models import RegisteredModel
from models_registry.vocabulary import Policy
from models_registry.wanted import Window, wanted


def window_of(model: RegisteredModel) -> Window | None:
    """The window a scheduled model follows; none can be set yet."""
    return None


def evaluate(model: RegisteredModel, at: datetime, **changed: Any) -> bool:
    """Whether the model should be loaded at `at`, were the inputs in `changed` so."""
    return wanted(
        changed.get("switch", model.switch),
        Policy(model.activation_policy),
        window_of(model),
        demand_until=changed.get("demand_until", model.demand_until),
        open_leases=changed.get("open_leases", model.open_leases),
        at=at,
    )
