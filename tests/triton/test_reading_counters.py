"""Answers of `v2/models/stats`, Triton's own and those of others."""

from datetime import UTC, datetime
from typing import Any

import pytest

from models_registry.providers.counters import Counters, read_counters


def row(**told: Any) -> dict[str, Any]:
    return {"name": "chat", "version": "1", "inference_stats": {"success": {"count": 3}, "fail": {"count": 1}}, **told}


def test_triton_s_own_form() -> None:
    last = datetime(2026, 11, 25, 20, 54, 3, 178000, tzinfo=UTC)
    answer = {"model_stats": [row(last_inference=int(last.timestamp() * 1000))]}
    assert read_counters(answer) == (Counters("chat", "1", 3, 1, last),)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"last_inference": 0}, Counters("chat", "1", 3, 1)),
        ({"last_inference": "nonsense"}, Counters("chat", "1", 3, 1)),
        ({"last_inference": 10**30}, Counters("chat", "1", 3, 1)),
        ({"version": None}, Counters("chat", "", 3, 1)),
        ({"version": 2}, Counters("chat", "2", 3, 1)),
        ({"inference_stats": {"success": {"count": "7"}}}, Counters("chat", "1", 7, 0)),
        ({"inference_stats": {"success": None}}, Counters("chat", "1", 0, 0)),
    ],
    ids=str,
)
def test_what_others_may_send(told: dict[str, Any], expected: Counters) -> None:
    assert read_counters({"model_stats": [row(**told)]}) == (expected,)


def test_a_model_that_is_not_counted_is_left_out() -> None:
    assert read_counters({"model_stats": [{"name": "chat"}]}) == ()


@pytest.mark.parametrize("answer", [None, [], {}, {"model_stats": None}, {"model_stats": [1]}, {"model_stats": [{}]}])
def test_what_is_no_answer_is_refused(answer: Any) -> None:
    with pytest.raises(ValueError, match="the statistics"):
        read_counters(answer)


@pytest.mark.parametrize("count", ["many", None, [], {}, 1.5])
def test_a_count_that_is_no_number_is_refused(count: Any) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|not a number"):
        read_counters({"model_stats": [row(inference_stats={"success": {"count": count}})]})
