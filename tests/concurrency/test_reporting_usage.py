"""Many processes reporting the use of the same hours: no deadlock reaches anybody, and the totals are exact."""

import pytest

from tests.concurrency import reports
from tests.concurrency.arena import DATABASES, LONG, Act, empty_stage, side_by_side

SECONDS = 60.0 if LONG else 3.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.timeout(900),
    pytest.mark.parametrize("database", DATABASES),
]


def test_eight_report_on_the_same_hours_and_every_call_counts_once(database: str) -> None:
    with empty_stage(database) as stage:
        stage.run(reports.arrange)
        clients = ["chatbot", "chatbot", "chatbot", "chatbot", "chatbot", "knowledge", "knowledge", "knowledge"]
        acts = [Act(reports.reporting, (client, number), times=12) for number, client in enumerate(clients)]
        told = side_by_side(stage, acts, seconds=0)
        end = stage.run(reports.totals)

    assert told.faults == []
    assert told.counts["reported"] == 8 * 12
    # Of each client's twelve batches eight are the same for all who report for it.
    events = 40 * (8 + 5 * 4) + 40 * (8 + 3 * 4)
    assert end == {"records": events, "events": events, "hours": events, "days": events, "differences": ""}


def test_sums_stay_exact_while_they_are_made_anew_and_moved_to_other_time_zones(database: str) -> None:
    with empty_stage(database) as stage:
        stage.run(reports.arrange)
        acts = [
            *(Act(reports.reporting, (client, number)) for number, client in enumerate(["chatbot", "knowledge"] * 2)),
            Act(reports.rebuilding, until={"rebuilt": 3}, pause_s=0.2),
            Act(reports.moving, until={"moved": 2}, pause_s=0.4),
            Act(reports.leasing_and_releasing, ("embedder",), until={"touched": 20}, pause_s=0.01),
        ]
        told = side_by_side(stage, acts, seconds=SECONDS)
        end = stage.run(reports.totals)

    assert told.faults == []
    assert end["records"] == end["events"] == end["hours"] == end["days"] > 200
    assert end["differences"] == ""
