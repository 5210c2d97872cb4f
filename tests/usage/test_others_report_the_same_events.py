"""Others are always a moment earlier with one more of our events: nobody is told an error, and each counts once."""

import itertools
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError

from tests.monitoring.world import World
from tests.usage.calls import assert_sums_are_those_of_the_records, call, record
from usage.ledger import read_ledger
from usage.models import UsageRecord
from usage.services import recording


def test_a_report_is_kept_however_often_others_are_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add("embedder")
    calls = [call() for _number in range(12)]
    record(world.client.pk, *calls[:10])
    looks, known_events = itertools.count(), recording.known_events

    def look_too_early(client_id: int, event_ids: Any) -> set[str]:
        """Of many events finds one more at each look; the others are stored just after it."""
        found = sorted(known_events(client_id, event_ids))
        return set(found[: next(looks)] if len(event_ids) > 1 else found)

    monkeypatch.setattr(recording, "known_events", look_too_early)
    assert record(world.client.pk, *calls) == (2, 10)
    assert UsageRecord.objects.count() == 12
    assert_sums_are_those_of_the_records(ZoneInfo(read_ledger().day_zone))


def test_a_record_that_is_refused_for_another_reason_is_no_duplicate(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("embedder")

    def refuse(*_args: Any, **_named: Any) -> None:
        raise IntegrityError("NOT NULL constraint failed")

    monkeypatch.setattr(recording, "insert_records", refuse)
    with pytest.raises(IntegrityError):
        record(world.client.pk, call())
