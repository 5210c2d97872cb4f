"""From counters that start anew with each load to calls, and from calls and reports to what nobody reported."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.rules.served import Count, hour_of, since, unattributed

NINE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "now", "loaded_anew", "expected"),
    [
        (Count(), Count(), False, Count()),
        (Count(5, 1), Count(5, 1), False, Count()),
        (Count(5, 1), Count(9, 2), False, Count(4, 1)),
        (Count(5, 1), Count(2, 0), False, Count(2, 0)),
        (Count(5, 1), Count(7, 0), False, Count(7, 0)),
        (Count(5, 1), Count(9, 2), True, Count(9, 2)),
        (Count(5, 1), Count(5, 1), True, Count(5, 1)),
        (Count(5, 1), Count(), False, Count()),
    ],
)
def test_what_came_since_the_last_reading(before: Count, now: Count, loaded_anew: bool, expected: Count) -> None:
    assert since(before, now, loaded_anew=loaded_anew) == expected


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=5), max_size=5))
def test_however_often_it_is_read_the_sum_is_what_was_answered(lives: list[list[tuple[int, int]]]) -> None:
    """Each life of a model begins at zero; it is known when it begins, as with loads of ours."""
    before, answered, summed = Count(), 0, 0
    for life in lives:
        counters, is_new = Count(), True
        for succeeded, failed in life:
            counters = Count(counters.succeeded + succeeded, counters.failed + failed)
            answered += succeeded + failed
            summed += since(before, counters, loaded_anew=is_new).calls
            before, is_new = counters, False
    assert summed == answered


@pytest.mark.parametrize(
    ("last_minute", "expected"),
    [(None, NINE), (-30, NINE - timedelta(hours=1)), (-1, NINE - timedelta(hours=1)), (1, NINE), (300, NINE)],
)
def test_calls_belong_to_the_hour_of_the_last_within_the_two_readings(
    last_minute: int | None, expected: datetime
) -> None:
    last_at = None if last_minute is None else NINE + timedelta(minutes=last_minute)
    at, after = NINE + timedelta(minutes=1), NINE - timedelta(minutes=1)
    assert hour_of(last_at, after=after, at=at) == expected


def test_what_nobody_reported_is_what_is_beyond_the_reports() -> None:
    seen = {"chat": 10, "rerank": 4, "embed": 3, "idle": 0}
    assert unattributed(seen, {"chat": 7, "rerank": 4, "embed": 5, "gone": 2}) == {"chat": 3}


def test_a_model_that_nobody_reported_at_all_is_unattributed_whole() -> None:
    assert unattributed({("chat", "2026-11-24"): 10}, {}) == {("chat", "2026-11-24"): 10}
