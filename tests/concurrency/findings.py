"""What a process finds: at any moment nothing that must not be, and at the end what is left."""

import random
import time
from collections.abc import Callable
from typing import Any

LEASED_BUT_GOING = """
    SELECT m.name, m.observed, m.deleted_at FROM models_registry_registeredmodel m
    JOIN usage_lease l ON l.model_id = m.id
    WHERE l.closed_at IS NULL AND (m.deleted_at IS NOT NULL OR m.observed IN ('unloading', 'unloaded'))
"""
BOUND_BUT_GONE = """
    SELECT m.name, b.id FROM models_registry_registeredmodel m
    JOIN usage_binding b ON b.model_id = m.id WHERE m.deleted_at IS NOT NULL
"""
DANGLING = """
    SELECT c.name, b.id FROM usage_client c JOIN usage_binding b ON b.client_id = c.id WHERE c.deleted_at IS NOT NULL
"""
MISCOUNTED = """
    SELECT m.name, m.open_leases, m.bindings,
      (SELECT COUNT(*) FROM usage_lease l WHERE l.model_id = m.id AND l.closed_at IS NULL) AS leases,
      (SELECT COUNT(*) FROM usage_binding b WHERE b.model_id = m.id) AS bound
    FROM models_registry_registeredmodel m
    WHERE m.open_leases <> (SELECT COUNT(*) FROM usage_lease l WHERE l.model_id = m.id AND l.closed_at IS NULL)
       OR m.bindings <> (SELECT COUNT(*) FROM usage_binding b WHERE b.model_id = m.id)
"""


def inspecting() -> Callable[[random.Random], str]:
    """Look for a lease, a binding or a counter that must not be; a find is a fault."""
    from django.db import connection

    def deed(dice: random.Random) -> str:
        with connection.cursor() as cursor:
            for statement in (LEASED_BUT_GOING, BOUND_BUT_GONE, DANGLING, MISCOUNTED):
                cursor.execute(statement)
                found = cursor.fetchall()
                if found:
                    raise AssertionError(f"{found} by {statement}")
        return "inspected"

    return deed


def settle(seconds: float) -> dict[str, Any]:
    """Reconcile until the server rests, at most so long; statuses, operations and what is still open."""
    from modelmanager.lib.clock import now
    from models_registry.models import Provider, RegisteredModel
    from monitoring.models import Operation
    from monitoring.reconcile import reconcile
    from monitoring.rules.plan import Nothing
    from usage.services.leases import close_expired

    gives_up_at, provider_id, rests = time.monotonic() + seconds, Provider.objects.get().pk, False
    while not rests and time.monotonic() < gives_up_at:
        close_expired(now())
        found = reconcile(provider_id)
        rests = found.answered and found.operation is None and isinstance(found.plan.action, Nothing)
        time.sleep(0.02)
    operations = Operation.objects.order_by("started_at", "id").select_related("model")
    models = RegisteredModel.all_objects.order_by("name")
    return {
        "rests": rests,
        "miscounted": miscounted(),
        "models": {m.name: (m.status_word, m.observed, m.switch_state, m.open_leases, m.bindings) for m in models},
        "operations": [
            (o.kind, o.model.name, o.outcome, o.started_at, o.posted_at, o.finished_at, o.error) for o in operations
        ],
    }


def miscounted() -> list[Any]:
    """Models whose counters differ from their rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(MISCOUNTED)
        return list(cursor.fetchall())


def totals() -> dict[str, int]:
    """Leases stored, closed by what, and open by the models' counters and by the rows."""
    from django.db.models import Count, Sum

    from models_registry.models import RegisteredModel
    from usage.models import Lease

    counts = dict(Lease.objects.order_by().values_list("close_reason").annotate(n=Count("id")))
    return {
        "leases": sum(counts.values()),
        "released": counts.get("released", 0),
        "expired": counts.get("expired", 0),
        "open": counts.get("", 0),
        "counted": RegisteredModel.objects.aggregate(n=Sum("open_leases"))["n"],
    }


def lost_edits(name: str) -> list[str]:
    """Versions that do not go on from the one before."""
    from models_registry.models import ConfigVersion

    versions = ConfigVersion.objects.filter(model__name=name).order_by("number")
    told = [(version.number, version.values) for version in versions]
    expected = [(1, {}), *((n, {"raised": n - 1, "from": n - 1}) for n in range(2, len(told) + 1))]
    return [f"{one} and not {other}" for one, other in zip(told, expected, strict=True) if one != other]
