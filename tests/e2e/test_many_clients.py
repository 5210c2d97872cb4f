"""Twelve client processes and six models of which two fit: nobody is given what is not there, and nobody starves."""

import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.own_triton import Stage, product_on_own_triton
from tests.e2e.swapping import Habits, Use, work_side_by_side
from tests.triton.real import slow_model

pytestmark = [pytest.mark.triton, pytest.mark.embedded_only, pytest.mark.slow, pytest.mark.soak]

SEED = int(os.environ.get("SWAP_SEED") or time.time_ns() % 10**6)
FOR_S = 180.0 if os.environ.get("SOAK") else 25.0
CLIENTS, PLACES, SIZE_MB = 12, 2, 1000
LOADS_S = {"tiny": 0.3, "small": 0.6, "medium": 1.2, "large": 2.5, "huge": 4.0, "giant": 6.0}
HAND_OVER_AFTER_S, DRAIN_S = 5.0, 6  # what the promise of docs/hand-over.md is made of here
TAKES_IT_S, UNLOAD_S, LONGEST_LOAD_S = 10.0, 2.0, 7.0
QUEUE = len(LOADS_S) - 1
WORST_WAIT_S = HAND_OVER_AFTER_S + QUEUE * (TAKES_IT_S + DRAIN_S + UNLOAD_S + LONGEST_LOAD_S)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    models = [slow_model(name, load_s=load_s, size_mb=SIZE_MB) for name, load_s in LOADS_S.items()]
    env = {"HAND_OVER_AFTER_S": str(HAND_OVER_AFTER_S)}
    folder = tmp_path_factory.mktemp("many-clients")
    with product_on_own_triton(folder, models, budget_mb=PLACES * SIZE_MB, env=env) as stage:
        stage.set_up_server(drain_s=DRAIN_S)
        for name in LOADS_S:
            stage.set_up(name, activation_policy="on_demand", idle_ttl_s=60)
        yield stage


@pytest.mark.timeout(int(FOR_S + 2 * WORST_WAIT_S + 120))
def test_many_clients_share_few_places_without_one_failed_use(stage: Stage) -> None:
    habits = Habits(models=tuple(LOADS_S), seed=SEED, for_s=FOR_S, patience_s=WORST_WAIT_S)
    uses = work_side_by_side(stage.product.url, stage.product.client_key, clients=CLIENTS, habits=habits)
    operations = stage.api.operations()
    print(report(uses, operations))

    assert [use for use in uses if use.fault] == []
    assert max(use.waited_s for use in uses) <= WORST_WAIT_S
    assert {use.client for use in uses} == set(range(CLIENTS))
    assert len({use.model for use in uses}) > PLACES

    loads = [one for one in operations if one["kind"] == "load"]
    assert len(loads) > PLACES, "nothing had to give way"
    went_wrong = [one for one in operations if one["outcome"] not in ("succeeded", "cancelled", "running")]
    assert went_wrong == []
    assert not stage.ran_out_of_memory()
    assert stage.loads() <= len(loads), "no load is posted twice"
    assert sum(stage.api.model(name)["open_leases"] for name in LOADS_S) == 0


def report(uses: list[Use], operations: list[dict[str, Any]]) -> str:
    """What happened, in a form to be kept."""
    waits = sorted(use.waited_s for use in uses)
    p95 = statistics.quantiles(waits, n=20)[-1]
    refused = sum((use.refused for use in uses), Counter[str]())
    loads = [one for one in operations if one["kind"] == "load" and one["outcome"] == "succeeded"]
    per_model = Counter(use.model for use in uses)
    load_average = os.getloadavg()[0]
    return "\n".join(
        [
            "",
            f"{CLIENTS} client processes for {FOR_S:g} s, {len(LOADS_S)} models loading in {min(LOADS_S.values())} to "
            f"{max(LOADS_S.values())} s, {PLACES} fit; SWAP_SEED={SEED}; load average {load_average:.1f}",
            f"uses {len(uses)} ({', '.join(f'{name} {per_model[name]}' for name in LOADS_S)})",
            f"failed uses {sum(bool(use.fault) for use in uses)}",
            f"refused with a time to come back {dict(refused)}",
            f"loads {len(loads)}, uses per load {len(uses) / max(1, len(loads)):.1f}",
            f"wait s: mean {statistics.mean(waits):.2f}, median {statistics.median(waits):.2f}, p95 {p95:.2f}, "
            f"worst {waits[-1]:.2f}, promised {WORST_WAIT_S:g}",
        ]
    )
