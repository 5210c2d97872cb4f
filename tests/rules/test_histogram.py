"""Latencies in buckets: every one is in exactly one, and percentiles told from them keep their error bound."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from usage.histogram import BOUNDS_US, BUCKETS, COLUMNS, ERROR_BOUND, bucket_of, percentiles_ms

latencies = st.integers(0, 86_400_000_000)


def counts_of(values: list[int]) -> list[int]:
    counts = [0] * BUCKETS
    for value in values:
        counts[bucket_of(value)] += 1
    return counts


def test_buckets_reach_from_a_millisecond_to_ten_minutes() -> None:
    assert (BOUNDS_US[0], len(COLUMNS), COLUMNS[0], COLUMNS[-1]) == (1000, BUCKETS, "b00", "b61")
    assert BOUNDS_US[-1] > 600_000_000
    assert all(high / low < 1.2505 for low, high in pairwise(BOUNDS_US))


@given(latencies)
def test_a_latency_is_in_the_bucket_whose_ends_it_lies_between(value: int) -> None:
    number = bucket_of(value)
    assert number == BUCKETS - 1 or value <= BOUNDS_US[number]
    assert number == 0 or value > BOUNDS_US[number - 1]


@given(st.lists(latencies, min_size=1, max_size=300), st.sampled_from([0.0, 0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_off_by_no_more_than_the_bound(values: list[int], share: float) -> None:
    true = sorted(values)[max(0, math.ceil(share * len(values)) - 1)] / 1000
    (told,) = percentiles_ms(counts_of(values), [share], largest_us=max(values))
    assert told is not None
    if true <= 1:
        assert abs(told - true) <= 1
    elif true * 1000 <= BOUNDS_US[-1]:
        assert abs(told - true) <= ERROR_BOUND * true
    assert told <= max(values) / 1000


def test_nothing_is_told_of_no_calls() -> None:
    assert percentiles_ms([0] * BUCKETS, [0.5], largest_us=0) == [None]
