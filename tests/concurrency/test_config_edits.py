"""Several people edit the configuration of one model at once: each goes on from the one before, or is told."""

import pytest

from tests.concurrency import deeds, findings
from tests.concurrency.arena import DATABASES, LONG, Act, WatchedTriton, empty_stage, side_by_side
from tests.triton.fake import FakeModel

SECONDS = 30.0 if LONG else 2.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.timeout(900),
    pytest.mark.parametrize("database", DATABASES),
]


def test_no_update_is_lost(database: str) -> None:
    with empty_stage(database) as stage, WatchedTriton(FakeModel("chat")) as triton:
        stage.run(deeds.arrange, triton.url, ["chat"], {})
        acts = [
            *(Act(deeds.editing_config, ("chat",), until={"edited": 5}, pause_s=0.005) for _person in range(4)),
            Act(deeds.reconciling, pause_s=0.05),
        ]
        told = side_by_side(stage, acts, seconds=SECONDS)
        lost = stage.run(findings.lost_edits, "chat")

    assert told.faults == []
    assert told.counts["edited"] >= 20 and told.counts["edit_conflict"] >= 5, told.counts
    assert lost == []
