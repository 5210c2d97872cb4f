"""Time in each status, from events and leases."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_registry.vocabulary import Status
from tests.properties.effort import effort
from usage.rules.status_time import Change, Life, StatusTime, busy, status_time

START = datetime(2026, 11, 18, tzinfo=UTC)
REGISTERED, ACTIVATING, ACTIVE, RECOVERED, IN_USE, ERROR = Status
MANY = effort(examples=300, soak_examples=20_000)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def change(second: float, before: Status, after: Status, code: str = "", *, wanted: bool | None = None) -> Change:
    return Change(at(second), before, after, code, wanted)


def life(*changes: Change, born: float = -100, ended: float | None = None, now: Status = REGISTERED) -> Life:
    return Life(at(born), None if ended is None else at(ended), changes, now)


def spent(
    told: Life, *leases: tuple[float, float], since: float = 0, until: float = 100
) -> tuple[dict[Status, float], StatusTime]:
    found = status_time(told, busy((at(start), at(end)) for start, end in leases), at(since), at(until))
    return {status: time.total_seconds() for status, time in found.spent.items() if time}, found


UP = (change(10, REGISTERED, ACTIVATING, wanted=True), change(30, ACTIVATING, ACTIVE, wanted=True))
OFF = change(80, ACTIVE, REGISTERED, wanted=False)
BREAKS = change(40, ACTIVE, ERROR, "not_loaded", wanted=True)


@pytest.mark.parametrize(
    ("told", "leases", "expected"),
    [
        pytest.param(life(), [], {REGISTERED: 100}, id="nothing happened"),
        pytest.param(life(now=ACTIVE), [], {ACTIVE: 100}, id="nothing was ever told"),
        pytest.param(life(*UP), [], {REGISTERED: 10, ACTIVATING: 20, ACTIVE: 70}, id="switched on"),
        pytest.param(life(*UP, OFF), [], {REGISTERED: 30, ACTIVATING: 20, ACTIVE: 50}, id="and off"),
        pytest.param(
            life(*UP),
            [(40, 50), (45, 60), (60, 65)],
            {REGISTERED: 10, ACTIVATING: 20, ACTIVE: 45, IN_USE: 25},
            id="leased",
        ),
        pytest.param(life(change(-50, ACTIVATING, ACTIVE)), [(-20, 10)], {IN_USE: 10, ACTIVE: 90}, id="leased before"),
        pytest.param(
            life(change(-50, ACTIVATING, ACTIVE)), [(90, 300)], {ACTIVE: 90, IN_USE: 10}, id="leased for longer"
        ),
        pytest.param(
            life(*UP, change(50, IN_USE, IN_USE, "switched_off", wanted=False)),
            [(40, 70)],
            {REGISTERED: 40, ACTIVATING: 20, ACTIVE: 10, IN_USE: 30},
            id="drained",
        ),
        pytest.param(
            life(*UP, BREAKS, change(60, ERROR, RECOVERED, "recovered")),
            [(35, 50), (70, 80)],
            {REGISTERED: 10, ACTIVATING: 20, ACTIVE: 25, IN_USE: 15, ERROR: 20, RECOVERED: 10},
            id="an error outranks a lease, and the next lease ends the recovery",
        ),
        pytest.param(
            life(*UP, BREAKS, change(60, ERROR, IN_USE, "recovered", wanted=True)),
            [(35, 70)],
            {REGISTERED: 10, ACTIVATING: 20, ACTIVE: 35, IN_USE: 15, ERROR: 20},
            id="recovered while leased",
        ),
        pytest.param(life(born=25), [], {REGISTERED: 75}, id="registered within the range"),
        pytest.param(life(ended=25), [], {REGISTERED: 25}, id="deleted within the range"),
        pytest.param(
            life(
                change(20, REGISTERED, REGISTERED, "deleted", wanted=False),
                change(50, REGISTERED, REGISTERED, "restored", wanted=False),
            ),
            [],
            {REGISTERED: 70},
            id="deleted and restored",
        ),
        pytest.param(life(change(120, ACTIVE, ERROR), now=ERROR), [], {ACTIVE: 100}, id="an event after the range"),
        pytest.param(
            life(change(120, IN_USE, ERROR)), [(50, 130)], {ACTIVE: 50, IN_USE: 50}, id="in use after the range"
        ),
    ],
)
def test_seconds_in_each_status(told: Life, leases: list[tuple[float, float]], expected: dict[Status, float]) -> None:
    assert spent(told, *leases)[0] == expected


@pytest.mark.parametrize(
    ("changes", "errors", "recoveries"),
    [
        pytest.param([*UP], 0, [], id="none"),
        pytest.param([*UP, BREAKS], 1, [], id="it lasts"),
        pytest.param([*UP, BREAKS, change(60, ERROR, RECOVERED)], 1, [20], id="recovered"),
        pytest.param(
            [*UP, BREAKS, change(45, ERROR, ERROR, "load_failed"), change(60, ERROR, RECOVERED)],
            1,
            [20],
            id="one cause",
        ),
        pytest.param([*UP, BREAKS, change(50, ERROR, REGISTERED, "switched_off", wanted=False)], 1, [], id="given up"),
        pytest.param(
            [change(5, REGISTERED, ERROR, "missing"), change(15, ERROR, REGISTERED, "recovered")],
            1,
            [10],
            id="listed again",
        ),
        pytest.param(
            [*UP, BREAKS, change(50, ERROR, ACTIVATING), change(70, ACTIVATING, ACTIVE)], 1, [30], id="loaded anew"
        ),
        pytest.param(
            [*UP, BREAKS, change(50, ERROR, ACTIVATING), change(60, ACTIVATING, ERROR), change(70, ERROR, RECOVERED)],
            2,
            [30],
            id="failed twice",
        ),
        pytest.param([change(-10, ACTIVE, ERROR), change(20, ERROR, RECOVERED)], 0, [], id="began before"),
        pytest.param([change(0, ACTIVE, ERROR), change(20, ERROR, RECOVERED)], 1, [20], id="began with the range"),
        pytest.param([change(10, ACTIVE, ERROR), change(100, ERROR, RECOVERED)], 1, [], id="ended with the range"),
        pytest.param(
            [
                change(10, ACTIVE, ERROR),
                change(20, ERROR, RECOVERED),
                change(30, RECOVERED, ERROR),
                change(70, ERROR, ACTIVE),
            ],
            2,
            [10, 40],
            id="twice",
        ),
    ],
)
def test_errors_and_how_long_they_lasted(changes: list[Change], errors: int, recoveries: list[float]) -> None:
    found = spent(life(*changes))[1]
    assert (found.errors, [time.total_seconds() for time in found.recoveries]) == (errors, recoveries)
    mean = found.mean_time_to_recover
    assert (mean and mean.total_seconds()) == (sum(recoveries) / len(recoveries) if recoveries else None)


@pytest.mark.parametrize(
    ("told", "leases", "wanted", "availability"),
    [
        pytest.param(life(), [], 0, None, id="never wanted"),
        pytest.param(life(*UP), [], 90, 70 / 90, id="loading counts"),
        pytest.param(life(*UP, OFF), [], 70, 50 / 70, id="only while wanted"),
        pytest.param(life(*UP, BREAKS), [], 90, 10 / 90, id="an error of a wanted model counts"),
        pytest.param(life(change(10, REGISTERED, ERROR, "missing", wanted=False)), [], 0, None, id="of another not"),
        pytest.param(
            life(*UP, BREAKS, change(60, ERROR, ERROR, "switched_off", wanted=False)),
            [],
            50,
            10 / 50,
            id="until switched off",
        ),
        pytest.param(
            life(*UP, change(50, IN_USE, IN_USE, wanted=False)), [(40, 70)], 40, 20 / 40, id="draining is not wanted"
        ),
        pytest.param(
            life(change(0, REGISTERED, ACTIVE), change(50, ACTIVE, ERROR), change(60, ERROR, IN_USE)),
            [(40, 80)],
            100,
            0.9,
            id="events that do not tell what was wanted",
        ),
    ],
)
def test_availability_is_measured_by_the_time_it_was_wanted(
    told: Life, leases: list[tuple[float, float]], wanted: float, availability: float | None
) -> None:
    found = spent(told, *leases)[1]
    assert found.wanted.total_seconds() == wanted
    assert found.availability == pytest.approx(availability)


def test_leases_that_overlap_or_meet_are_one() -> None:
    found = busy((at(start), at(end)) for start, end in [(0, 10), (2, 5), (10, 12), (13, 14)])
    assert [(held.start, held.end, held.leased_at) for held in found] == [
        (at(0), at(12), at(10)),
        (at(13), at(14), at(13)),
    ]


statuses = st.sampled_from(Status)
seconds = st.integers(-50, 150)
histories = st.lists(st.tuples(seconds, statuses, st.sampled_from([True, False, None])), max_size=8)


@MANY
@given(
    told=histories,
    leases=st.lists(st.tuples(seconds, st.integers(0, 60)), max_size=6),
    born=st.integers(-60, 120),
    lives_on=st.integers(0, 200) | st.none(),
    now=statuses,
)
def test_all_statuses_together_are_the_time_that_the_model_lived(told, leases, born, lives_on, now) -> None:
    changes, before = [], REGISTERED
    for second, after, wanted in sorted(told, key=lambda row: row[0]):
        changes.append(change(second, before, after, wanted=wanted))
        before = after
    ended = None if lives_on is None else born + lives_on
    held = sorted((start, start + length) for start, length in leases)
    parts, found = spent(life(*changes, born=born, ended=ended, now=now), *held)
    lived = max(0, min(100, 100 if ended is None else ended) - max(0, born))
    assert sum(parts.values()) == pytest.approx(lived)
    assert all(time >= timedelta() for time in found.spent.values())
    assert timedelta() <= found.usable <= found.wanted <= timedelta(seconds=lived)
    assert all(timedelta() <= time <= timedelta(seconds=lived) for time in found.recoveries)
    assert len(found.recoveries) <= found.errors


@MANY
@given(told=histories, leases=st.lists(st.tuples(seconds, st.integers(0, 60)), max_size=6), middle=st.integers(1, 99))
def test_two_halves_hold_what_the_whole_holds(told, leases, middle) -> None:
    changes, before = [], REGISTERED
    for second, after, _wanted in sorted(told, key=lambda row: row[0]):
        after = (
            ACTIVE if after == RECOVERED else after
        )  # what a lease before the middle ended is not told by the halves
        changes.append(change(second, before, after, wanted=after != REGISTERED))
        before = after
    held = sorted((start, start + length) for start, length in leases)
    whole = spent(life(*changes), *held)[1]
    halves = [spent(life(*changes), *held, since=0, until=middle)[1], spent(life(*changes), *held, since=middle)[1]]
    assert whole.spent == {status: sum((half.spent[status] for half in halves), timedelta()) for status in Status}
    assert whole.wanted == halves[0].wanted + halves[1].wanted
    assert whole.usable == halves[0].usable + halves[1].usable
    assert whole.errors == sum(half.errors for half in halves)
