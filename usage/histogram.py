"""Latencies in buckets that can be summed, and percentiles told from them.

Buckets grow by a quarter: the first ends at 1 ms, the last but one at 652 s (ten minutes and more), the last is
open. A percentile is told as the geometric middle of its bucket, so it is off by at most `ERROR_BOUND`
(12 %) of the true value, below 1 ms by at most 1 ms.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import ceil, sqrt

STEP = 1.25
ERROR_BOUND = 0.12  # the root of a quarter more, 11.8 %, and what rounding the ends adds
# Upper ends in whole microseconds; a latency belongs to the first bucket whose end it does not exceed.
BOUNDS_US = tuple(round(1000 * STEP**number) for number in range(61))
BUCKETS = len(BOUNDS_US) + 1
COLUMNS = tuple(f"b{number:02}" for number in range(BUCKETS))


def bucket_of(latency_us: int) -> int:
    """The number of the bucket that a latency belongs to."""
    return bisect_left(BOUNDS_US, latency_us)


def percentiles_ms(counts: Sequence[int], shares: Sequence[float], *, largest_us: int) -> list[float | None]:
    """For each of `shares` (0 to 1) the latency that so many calls do not exceed, by nearest rank; None without calls.

    `counts` are the calls in each bucket, `largest_us` the longest latency among them.
    """
    upto = list(accumulate(counts))
    if not upto[-1]:
        return [None] * len(shares)
    found = (bisect_left(upto, max(1, ceil(share * upto[-1]))) for share in shares)
    return [min(_middle_us(number, largest_us), largest_us) / 1000 for number in found]


def _middle_us(number: int, largest_us: int) -> float:
    if number == 0:
        return BOUNDS_US[0] / 2
    low = BOUNDS_US[number - 1]
    return sqrt(low * (BOUNDS_US[number] if number < len(BOUNDS_US) else largest_us))
