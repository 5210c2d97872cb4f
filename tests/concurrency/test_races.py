"""Leasing, switching, unloading, binding and deleting at once: whoever comes second sees the first."""

import pytest

from tests.concurrency import deeds, findings
from tests.concurrency.arena import DATABASES, LONG, Act, WatchedTriton, empty_stage, side_by_side
from tests.triton.fake import FakeModel

SECONDS = 60.0 if LONG else 3.0
CLIENTS = ("chatbot", "knowledge")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.timeout(900),
    pytest.mark.parametrize("database", DATABASES),
]


def test_a_leased_model_is_never_unloaded_or_deleted(database: str) -> None:
    with empty_stage(database) as stage, WatchedTriton(FakeModel("chat", load_s=0.05, unload_s=0.02)) as triton:
        stage.run(deeds.arrange, triton.url, ["chat"], {"drain_s": 1})
        acts = [
            *(Act(deeds.leasing, ("chat", client), until={"leased": 5}, pause_s=0.02) for client in CLIENTS),
            Act(deeds.leasing, ("chat", "chatbot"), pause_s=0.02),
            Act(deeds.switching, ("chat",), until={"activated": 3, "deactivated": 3}, pause_s=0.6),
            Act(deeds.deleting, ("chat",), until={"deleted": 3, "restored": 3}, pause_s=1.0),
            Act(deeds.expiring, pause_s=0.1),
            Act(deeds.reconciling, pause_s=0.05),
            Act(deeds.watching),
            Act(findings.inspecting, pause_s=0.005),
        ]
        told = side_by_side(stage, acts, seconds=SECONDS)
        end = stage.run(findings.settle, 60.0)

    assert told.faults == []
    for happened in ("leased", "activated", "deactivated", "deleted", "restored", "inspected"):
        assert told.counts[happened] >= 3, told.counts
    assert end["rests"]
    assert end["miscounted"] == []


def test_a_bound_model_is_never_deleted_and_a_deleted_client_binds_nothing(database: str) -> None:
    names = ["chat", "rerank", "embed"]
    with empty_stage(database) as stage, WatchedTriton(*(FakeModel(name) for name in names)) as triton:
        stage.run(deeds.arrange, triton.url, names, {})
        acts = [
            *(Act(deeds.binding, (names, client), until={"bound": 10}, pause_s=0.02) for client in CLIENTS * 2),
            Act(deeds.deleting_client, ("knowledge",), until={"client restored": 5}, pause_s=0.1),
            *(Act(deeds.deleting, (name,), until={"restored": 2}, pause_s=0.05) for name in names),
            Act(findings.inspecting, pause_s=0.005),
        ]
        told = side_by_side(stage, acts, seconds=SECONDS)
        wrong = stage.run(findings.miscounted)

    assert told.faults == []
    for happened in ("bound", "unbound", "deleted", "restored", "client deleted", "client restored", "inspected"):
        assert told.counts[happened] >= 5, told.counts
    assert wrong == []
