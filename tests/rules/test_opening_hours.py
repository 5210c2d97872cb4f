"""Opening hours: across midnight, across DST, with exceptions, for a year of days."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.opening_hours import Dated, OpeningHours, Rule

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
EVERY_DAY = frozenset(range(7))
NIGHT = Rule(EVERY_DAY, 17 * 60, 9 * 60)
WORKDAY_NIGHT = Rule(frozenset(range(5)), 17 * 60, 9 * 60)


def seoul(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


def new_york(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK, fold=fold)


def night(*exceptions: Dated, zone: ZoneInfo = SEOUL) -> OpeningHours:
    return OpeningHours(zone, (NIGHT,), exceptions)


def test_an_end_before_the_start_is_on_the_next_day():
    assert night().contains(seoul("2026-11-25 02:00"))
    assert night().contains(seoul("2026-11-25 17:00"))
    assert not night().contains(seoul("2026-11-25 09:00"))
    assert not night().contains(seoul("2026-11-25 16:59:59"))


def test_opening_and_closing_are_told_from_either_side():
    assert night().next_opening(seoul("2026-11-25 12:00")) == seoul("2026-11-25 17:00")
    assert night().next_closing(seoul("2026-11-25 12:00")) == seoul("2026-11-26 09:00")
    assert night().next_opening(seoul("2026-11-25 20:00")) == seoul("2026-11-26 17:00")
    assert night().next_closing(seoul("2026-11-25 20:00")) == seoul("2026-11-26 09:00")
    assert night().next_opening(seoul("2026-11-25 17:00")) == seoul("2026-11-26 17:00")


def test_fridays_night_reaches_into_saturday_and_the_weekend_is_closed():
    hours = OpeningHours(SEOUL, (WORKDAY_NIGHT,))
    assert hours.contains(seoul("2026-11-28 08:59"))  # Saturday
    assert not hours.contains(seoul("2026-11-28 17:00"))
    assert hours.next_opening(seoul("2026-11-28 09:00")) == seoul("2026-11-30 17:00")


def test_rules_that_meet_are_one_stretch():
    hours = OpeningHours(SEOUL, (NIGHT, Rule(frozenset({5, 6}), 9 * 60, 17 * 60)))
    assert hours.next_closing(seoul("2026-11-27 20:00")) == seoul("2026-11-30 09:00")


def test_a_whole_day_ends_at_its_midnight():
    hours = OpeningHours(SEOUL, (Rule(frozenset({6}), 0, 1440),))
    assert hours.next_opening(seoul("2026-11-25 12:00")) == seoul("2026-11-29 00:00")
    assert hours.next_closing(seoul("2026-11-29 12:00")) == seoul("2026-11-30 00:00")


def test_what_is_always_open_never_turns():
    hours = OpeningHours(SEOUL, (Rule(EVERY_DAY, 0, 1440),))
    assert hours.contains(seoul("2026-11-25 12:00"))
    assert hours.next_opening(seoul("2026-11-25 12:00")) is None
    assert hours.next_closing(seoul("2026-11-25 12:00")) is None


def test_a_holiday_closes_and_the_next_evening_opens():
    christmas = Dated(seoul("2026-12-25 00:00"), seoul("2026-12-26 00:00"), opens=False)
    assert night(christmas).next_closing(seoul("2026-12-24 18:00")) == seoul("2026-12-25 00:00")
    assert not night(christmas).contains(seoul("2026-12-25 20:00"))
    assert night(christmas).next_opening(seoul("2026-12-25 10:00")) == seoul("2026-12-26 00:00")


def test_of_two_exceptions_the_last_decides():
    closed = Dated(seoul("2026-12-25 00:00"), seoul("2026-12-26 00:00"), opens=False)
    opened = Dated(seoul("2026-12-25 10:00"), seoul("2026-12-25 12:00"), opens=True)
    assert night(closed, opened).contains(seoul("2026-12-25 11:00"))
    assert not night(opened, closed).contains(seoul("2026-12-25 11:00"))
    assert night(closed, opened).next_closing(seoul("2026-12-25 11:00")) == seoul("2026-12-25 12:00")


def test_closed_for_years_still_finds_the_opening_after_it():
    away = Dated(seoul("2026-11-25 00:00"), seoul("2036-11-25 00:00"), opens=False)
    assert night(away).next_opening(seoul("2026-11-25 12:00")) == seoul("2036-11-25 00:00")


def test_what_turns_in_ten_years_only_is_found_without_walking_there_day_by_day(monkeypatch: pytest.MonkeyPatch):
    asked: list[datetime] = []
    contains = OpeningHours.contains
    monkeypatch.setattr(OpeningHours, "contains", lambda self, at: (asked.append(at), contains(self, at))[1])
    away = Dated(seoul("2036-11-25 00:00"), seoul("2036-11-26 00:00"), opens=False)
    hours = OpeningHours(SEOUL, (Rule(EVERY_DAY, 0, 1440),), (away,))
    assert hours.next_closing(seoul("2026-11-25 12:00")) == away.start
    assert hours.next_opening(seoul("2026-11-25 12:00")) == away.end
    assert len(asked) < 100


def test_a_day_cut_into_hours_is_reckoned_with_once_for_all_its_hours(monkeypatch: pytest.MonkeyPatch):
    reckoned: list[int] = []
    moment = OpeningHours._moment
    monkeypatch.setattr(OpeningHours, "_moment", lambda self, *when: (reckoned.append(1), moment(self, *when))[1])
    hourly = tuple(Rule(EVERY_DAY, hour * 60, hour * 60 + 60) for hour in range(24))
    away = Dated(seoul("2027-01-01 00:00"), seoul("2027-01-02 00:00"), opens=False)
    hours = OpeningHours(SEOUL, hourly, (away,))
    assert hours.next_closing(seoul("2026-11-25 12:00")) == away.start
    assert len(reckoned) < 20 * len(hourly) * 4


def test_without_rules_only_exceptions_open():
    once = Dated(seoul("2026-12-01 10:00"), seoul("2026-12-01 11:00"), opens=True)
    hours = OpeningHours(SEOUL, (), (once,))
    assert hours.next_opening(seoul("2026-11-25 12:00")) == once.start
    assert hours.next_opening(once.end) is None


def test_a_start_in_the_hour_that_spring_skips_is_the_moment_after_it():
    hours = OpeningHours(NEW_YORK, (Rule(EVERY_DAY, 150, 240),))  # 02:30-04:00
    assert hours.next_opening(new_york("2026-03-08 00:00")) == new_york("2026-03-08 03:00")
    assert hours.next_opening(new_york("2026-03-07 00:00")) == new_york("2026-03-07 02:30")


def test_a_window_inside_the_skipped_hour_does_not_open_that_day():
    hours = OpeningHours(NEW_YORK, (Rule(EVERY_DAY, 130, 170),))  # 02:10-02:50
    assert hours.next_opening(new_york("2026-03-08 00:00")) == new_york("2026-03-09 02:10")


def test_a_time_that_autumn_has_twice_is_its_first():
    hours = OpeningHours(NEW_YORK, (Rule(EVERY_DAY, 17 * 60, 90),))  # 17:00-01:30
    assert hours.next_closing(new_york("2026-10-31 20:00")) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert not hours.contains(new_york("2026-11-01 01:10", fold=1))


@pytest.mark.parametrize("zone", [SEOUL, NEW_YORK])
def test_every_night_of_a_year_opens_and_closes_by_the_local_clock(zone: ZoneInfo):
    hours = night(zone=zone)
    at = datetime(2026, 1, 1, 12, tzinfo=zone)
    for _day in range(365):
        opening = hours.next_opening(at)
        assert opening is not None
        closing = hours.next_closing(opening)
        assert closing is not None
        assert opening.astimezone(zone).time() == time(17)
        assert closing.astimezone(zone).time() == time(9)
        assert closing.astimezone(zone).date() - opening.astimezone(zone).date() == timedelta(days=1)
        at = closing
    assert at.astimezone(zone).date() == date(2027, 1, 1)


rules = st.builds(
    Rule,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(0, 1440),
).filter(lambda rule: rule.start != rule.end % 1440 or rule.end == 1440)
moments = st.integers(0, 365 * 86400).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
exceptions = st.builds(
    lambda start, hours, opens: Dated(start, start + timedelta(hours=hours), opens),
    moments,
    st.integers(1, 400),
    st.booleans(),
)
anything = st.builds(
    OpeningHours, st.sampled_from([SEOUL, NEW_YORK]), st.lists(rules, max_size=4), st.lists(exceptions, max_size=3)
)


@settings(deadline=None)
@given(hours=anything, at=moments)
def test_between_two_turns_the_answer_stays_the_same(hours: OpeningHours, at: datetime):
    is_open = hours.contains(at)
    turn = hours.next_closing(at) if is_open else hours.next_opening(at)
    if turn is None:
        assert hours.contains(at + timedelta(days=11)) == is_open or hours.exceptions
        return
    assert turn > at
    assert hours.contains(turn) is not is_open
    for share in (0.1, 0.5, 0.9, 0.999999):
        assert hours.contains(at + (turn - at) * share) is is_open


@settings(deadline=None)
@given(rule=rules, zone=st.sampled_from([SEOUL, NEW_YORK]), at=moments)
def test_it_is_open_when_a_wall_clock_says_so(rule: Rule, zone: ZoneInfo, at: datetime):
    local = at.astimezone(zone)
    if (local + timedelta(days=1)).utcoffset() != (local - timedelta(days=1)).utcoffset():
        return  # around a change of the clocks the tests above speak
    minute = local.hour * 60 + local.minute
    if rule.end > rule.start:
        expected = local.weekday() in rule.weekdays and rule.start <= minute < rule.end
    else:
        tonight = local.weekday() in rule.weekdays and minute >= rule.start
        expected = tonight or ((local.weekday() - 1) % 7 in rule.weekdays and minute < rule.end)
    assert OpeningHours(zone, (rule,)).contains(at) is expected


@settings(deadline=None)
@given(hours=anything, since=moments)
def test_spans_are_the_open_stretches(hours: OpeningHours, since: datetime):
    until = since + timedelta(days=10)
    spans = list(hours.spans(since, until))
    assert all(since <= start < end <= until for start, end in spans)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    for hour in range(0, 240, 7):
        at = since + timedelta(hours=hour)
        assert hours.contains(at) == any(start <= at < end for start, end in spans)
