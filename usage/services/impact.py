"""What deleting a model would break, and deleting it."""

from typing import Any

from modelmanager.lib.retry import retrying_transaction
from models_registry.models import RegisteredModel
from models_registry.refusals import ModelInUse
from models_registry.services import registration

SHOWN = 100


def impact(model: RegisteredModel) -> dict[str, Any]:
    """Open leases and bindings (at most 100 each, with their clients), window and last use."""
    leases = model.leases.filter(closed_at__isnull=True).select_related("client")[:SHOWN]
    bindings = model.binding_rows.select_related("client")[:SHOWN]
    return {
        "open_leases": model.open_leases,
        "leases": [
            {"id": lease.pk, "client": lease.client.name, "instance": lease.instance, "expires_at": lease.expires_at}
            for lease in leases
        ],
        "bindings": [
            {"id": binding.pk, "client": binding.client.name, "reference": binding.reference} for binding in bindings
        ],
        "wanted": model.wanted,
        "observed": model.observed,
        "window": model.window.name if model.window else None,
        "last_used_at": model.last_used_at,
    }


@retrying_transaction
def delete_model(model: RegisteredModel, *, actor: str, edition: int | None = None) -> None:
    """Soft-delete a model; a ModelInUse refusal carries its `impact`. Raises EditConflict, too."""
    try:
        registration.delete_model(model, actor=actor, edition=edition)
    except ModelInUse as refusal:
        refusal.extra["impact"] = impact(model)
        raise
