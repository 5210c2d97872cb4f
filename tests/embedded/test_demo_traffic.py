"""The demo's traffic: whose day it is, what was made up of the past, and what cannot be started."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from modelmanager.embedded.environment import BadValue
from modelmanager.embedded.repository import DEMO_MODELS
from modelmanager.embedded.traffic.__main__ import main, read_choices
from modelmanager.embedded.traffic.history import PastCall, past_calls
from modelmanager.embedded.traffic.story import SYSTEMS, Day, System
from modelmanager.embedded.traffic.tally import Tally

SEOUL = ZoneInfo("Asia/Seoul")
UNTIL = datetime(2026, 11, 25, 3, 27, tzinfo=UTC)  # a Wednesday, 12:27 in Seoul


def past(system: System, days: int = 7) -> list[PastCall]:
    return list(past_calls(system, until=UNTIL, days=days, zone=SEOUL))


def test_a_day_is_busy_at_its_peak_and_never_silent() -> None:
    day = Day(peak=1, width=3, weekend=0.5)
    assert day.share(1) == 1
    assert day.share(23) == pytest.approx(day.share(3))  # across midnight
    assert 0 < day.share(13) < 0.05
    assert day.share(1, weekday=6) == 0.5


@pytest.mark.parametrize("system", SYSTEMS, ids=[system.name for system in SYSTEMS])
def test_the_past_is_the_same_each_time_it_is_told(system: System) -> None:
    told = past(system)
    assert told == past(system)
    ids = [call.event_id for call in told]
    assert len(set(ids)) == len(ids)
    assert max(len(one) for one in ids) <= 64
    later = past_calls(system, until=UNTIL + timedelta(hours=1), days=7, zone=SEOUL)
    assert len(set(ids) & {call.event_id for call in later}) > 0.9 * len(ids)


@pytest.mark.parametrize("system", SYSTEMS, ids=[system.name for system in SYSTEMS])
def test_the_past_ends_before_the_hour_that_runs(system: System) -> None:
    times = [call.occurred_at for call in past(system, days=2)]
    assert min(times) >= UNTIL.replace(minute=0) - timedelta(days=2)
    assert max(times) < UNTIL.replace(minute=0)


@pytest.mark.parametrize("system", SYSTEMS, ids=[system.name for system in SYSTEMS])
def test_the_past_follows_the_rhythm_of_the_day(system: System) -> None:
    by_hour = Counter(call.occurred_at.astimezone(SEOUL).hour for call in past(system))
    ((busiest, most),) = by_hour.most_common(1)
    assert min(abs(busiest - system.day.peak), 24 - abs(busiest - system.day.peak)) <= 2
    assert most > 5 * by_hour[(int(system.day.peak) + 12) % 24]


def test_some_calls_of_the_past_failed() -> None:
    outcomes = Counter(call.outcome for call in past(SYSTEMS[0]))
    assert set(outcomes) == {"ok", "error", "timeout"}
    assert 0.01 < 1 - outcomes["ok"] / outcomes.total() < 0.1


def test_only_demo_models_are_used() -> None:
    assert {use.model for system in SYSTEMS for use in system.uses} <= {model.name for model in DEMO_MODELS}


def test_the_summary_counts_by_system_and_model() -> None:
    tally = Tally()
    tally.lease()
    tally.call("chatbot", "rag-chat", took_ms=100, failed=False)
    tally.call("chatbot", "rag-chat", took_ms=300, failed=True)
    tally.refusal("gpu_busy")
    assert tally.line() == "2 calls, 1 failed · 1 leases · refused: 1 gpu_busy"
    assert tally.table()[0].split() == ["chatbot", "rag-chat", "2", "calls", "1", "failed", "200", "ms", "each"]


def test_what_is_chosen(tmp_path: Path) -> None:
    chosen = read_choices({"DATA_DIR": str(tmp_path), "SECONDS": "5"})
    assert (chosen.data_dir, chosen.seconds, chosen.history_days) == (tmp_path, 5, 14)
    with pytest.raises(BadValue, match="HISTORY_DAYS=many"):
        read_choices({"DATA_DIR": str(tmp_path), "HISTORY_DAYS": "many"})


def test_without_a_running_product_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert main() == 1
    assert "make run" in capsys.readouterr().err
    gone = {"url": "http://127.0.0.1:1", "client_key": "x", "database_url": "sqlite:///x"}
    (tmp_path / "run.json").write_text(json.dumps(gone))
    assert main() == 1
    assert "does not answer" in capsys.readouterr().err


def test_a_bad_variable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SECONDS", "-1")
    assert main() == 2
    assert "SECONDS=-1" in capsys.readouterr().err
