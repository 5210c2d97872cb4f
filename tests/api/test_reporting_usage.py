"""Reporting usage: every call is kept once, as it was told, or nothing of the request is."""

from datetime import timedelta
from typing import Any

import pytest

from modelmanager.lib.clock import now
from models_registry.models import ConfigVersion
from tests.api.calls import Caller, a_caller, done, invalid, refused
from tests.monitoring.world import World
from tests.usage.reporting import report
from usage.models import UsageDay, UsageHour, UsageRecord

PATH = "usage/records/"


def send(caller: Caller, *reports: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = done(caller.post(PATH, list(reports)))
    return found


def totals() -> tuple[int, int, int]:
    """Records, and the calls that the hours and the days tell of."""
    return (
        UsageRecord.objects.count(),
        sum(UsageHour.objects.values_list("calls", flat=True)),
        sum(UsageDay.objects.values_list("calls", flat=True)),
    )


def test_a_report_is_kept_as_it_was_told(everything: World, chatbot: Caller) -> None:
    at = (now() - timedelta(hours=1)).replace(microsecond=123456)
    told = report(
        occurred_at=at, latency_ms=12.345, outcome="error", error_code="overloaded", input_tokens=7, output_tokens=3
    )
    assert done(chatbot.post(PATH, told)) == {"accepted": 1, "duplicates": 0}
    listed = done(chatbot.get(PATH))["results"]
    received_at = listed[0].pop("received_at")
    assert listed == [
        told
        | {
            "client": "chatbot",
            "occurred_at": at.isoformat().replace("+00:00", "Z"),
            "config": 1,
            "lease": None,
            "cost": 0,
        }
    ]
    assert received_at == now().isoformat().replace("+00:00", "Z")
    assert totals() == (1, 1, 1)


def test_what_is_left_out_or_null_is_nothing(everything: World, chatbot: Caller) -> None:
    optional = ("input_tokens", "output_tokens", "error_code", "lease", "config")
    send(chatbot, report(), report(**dict.fromkeys(optional)))
    for record in UsageRecord.objects.all():
        assert (record.input_tokens, record.output_tokens, record.error_code, record.lease_id) == (0, 0, "", None)


def test_an_event_counts_once_however_often_it_is_sent(everything: World, chatbot: Caller) -> None:
    first, second = report(event_id="a"), report(event_id="b")
    assert send(chatbot, first, second, first) == {"accepted": 2, "duplicates": 1}
    assert send(chatbot, second, report(event_id="c"), first) == {"accepted": 1, "duplicates": 2}
    assert send(chatbot, first | {"latency_ms": 99}) == {"accepted": 0, "duplicates": 1}
    assert totals() == (3, 3, 3)
    assert set(UsageRecord.objects.values_list("latency_us", flat=True)) == {12_500}


def test_clients_have_event_ids_of_their_own(everything: World, chatbot: Caller) -> None:
    knowledge = a_caller("knowledge", "use")
    assert send(chatbot, report(event_id="a")) == send(knowledge, report(event_id="a"))
    assert totals() == (2, 2, 2)


@pytest.mark.parametrize(("one", "other"), [("a", "A"), ("é", "e"), ("ß", "ss"), ("가", "나")])
def test_event_ids_that_differ_in_any_character_are_two(
    everything: World, chatbot: Caller, one: str, other: str
) -> None:
    assert send(chatbot, report(event_id=one), report(event_id=other))["accepted"] == 2
    assert send(chatbot, report(event_id=other))["duplicates"] == 1


def test_nothing_is_reported_by_an_empty_list(everything: World, chatbot: Caller) -> None:
    assert send(chatbot) == {"accepted": 0, "duplicates": 0}


def test_a_thousand_at_once_are_taken_and_one_more_is_not(everything: World, chatbot: Caller) -> None:
    reports = [report() for _number in range(1000)]
    errors = invalid(chatbot.post(PATH, [*reports, report()]), **{"": "max_length"})
    assert "1000" in errors[0]["detail"]
    assert send(chatbot, *reports)["accepted"] == 1000
    assert totals() == (1000, 1000, 1000)


WRONG: dict[str, tuple[Any, str]] = {
    "no event id": ({"event_id": ""}, "event_id: blank"),
    "a blank event id": ({"event_id": "  "}, "event_id: blank"),
    "an event id too long": ({"event_id": "x" * 65}, "event_id: max_length"),
    "a number as an event id": ({"event_id": 7}, "event_id: invalid"),
    "a null event id": ({"event_id": None}, "event_id: null"),
    "a model that is none": ({"model": "nobody"}, "model: does_not_exist"),
    "a model in other letters": ({"model": "Embedder"}, "model: does_not_exist"),
    "a list as a model": ({"model": ["embedder"]}, "model: invalid"),
    "a time without an offset": ({"occurred_at": "2026-11-24T08:00:00"}, "occurred_at: no_offset"),
    "a time that is none": ({"occurred_at": "yesterday"}, "occurred_at: invalid"),
    "a time as a number": ({"occurred_at": 1764000000}, "occurred_at: invalid"),
    "a time before all times": ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at: invalid"),
    "a negative latency": ({"latency_ms": -0.001}, "latency_ms: min_value"),
    "a latency of more than a day": ({"latency_ms": 86_400_001}, "latency_ms: max_value"),
    "a latency in text": ({"latency_ms": "12"}, "latency_ms: invalid"),
    "a latency that is a truth": ({"latency_ms": True}, "latency_ms: invalid"),
    "an outcome that is none": ({"outcome": "OK"}, "outcome: invalid_choice"),
    "a list as an outcome": ({"outcome": ["ok"]}, "outcome: invalid_choice"),
    "half a token": ({"input_tokens": 1.5}, "input_tokens: invalid"),
    "negative tokens": ({"output_tokens": -1}, "output_tokens: min_value"),
    "too many tokens": ({"output_tokens": 100_000_001}, "output_tokens: max_value"),
    "an error code too long": ({"error_code": "x" * 65}, "error_code: max_length"),
    "a lease that is none": ({"lease": 9**18}, "lease: does_not_exist"),
    "a lease in text": ({"lease": "1"}, "lease: invalid"),
    "a configuration that is none": ({"config": 2}, "config: does_not_exist"),
    "a field that is none": ({"cost": 5}, "cost: unknown_field"),
}


@pytest.mark.parametrize(("fields", "error"), list(WRONG.values()), ids=list(WRONG))
def test_one_wrong_report_is_named_and_nothing_is_kept(
    everything: World, chatbot: Caller, fields: dict[str, Any], error: str
) -> None:
    field, _, code = error.partition(": ")
    invalid(chatbot.post(PATH, [report(), report(), report(**fields)]), **{f"2__{field}": code})
    invalid(chatbot.post(PATH, report(**fields)), **{field: code})
    assert totals() == (0, 0, 0)


@pytest.mark.parametrize("field", ["event_id", "model", "occurred_at", "latency_ms", "outcome"])
def test_what_a_report_needs_is_named(everything: World, chatbot: Caller, field: str) -> None:
    told = report()
    del told[field]
    invalid(chatbot.post(PATH, [told]), **{f"0__{field}": "required"})


@pytest.mark.parametrize("body", [[[]], [1], ["x"], [None]], ids=str)
def test_a_report_is_an_object(everything: World, chatbot: Caller, body: Any) -> None:
    invalid(chatbot.post(PATH, body), **{"0": "invalid"})


@pytest.mark.parametrize("body", [1, "x", True], ids=str)
def test_a_body_is_a_report_or_a_list(everything: World, chatbot: Caller, body: Any) -> None:
    invalid(chatbot.post(PATH, body), **{"": "invalid"})


def test_all_that_is_wrong_is_told_at_once(everything: World, chatbot: Caller) -> None:
    first = report(latency_ms=-1, outcome="fine")
    del first["model"]
    told = [first, report(), report(event_id="")]
    errors = {"0__latency_ms": "min_value", "0__outcome": "invalid_choice", "0__model": "required"}
    invalid(chatbot.post(PATH, told), **errors, **{"2__event_id": "blank"})


def test_a_hundred_errors_are_enough(everything: World, chatbot: Caller) -> None:
    problem = refused(chatbot.post(PATH, [{}] * 1000), 400, "invalid")
    assert 100 <= len(problem["errors"]) < 110


def test_five_minutes_ahead_are_forgiven_and_no_more(everything: World, chatbot: Caller) -> None:
    limit = now() + timedelta(minutes=5)
    assert send(chatbot, report(occurred_at=limit))["accepted"] == 1
    late = report(occurred_at=limit + timedelta(microseconds=1))
    invalid(chatbot.post(PATH, [late]), **{"0__occurred_at": "in_the_future"})


def test_a_call_older_than_records_are_kept_is_refused(everything: World, chatbot: Caller, settings: Any) -> None:
    settings.USAGE_RETENTION_DAYS = 30
    limit = now() - timedelta(days=30)
    assert send(chatbot, report(occurred_at=limit))["accepted"] == 1
    old = report(occurred_at=limit - timedelta(microseconds=1))
    invalid(chatbot.post(PATH, [old]), **{"0__occurred_at": "too_old"})


def test_a_configuration_is_named_by_its_number(everything: World, chatbot: Caller) -> None:
    model = everything.model("embedder")
    second = ConfigVersion.objects.create(model=model, number=2, values={"a": 1})
    send(chatbot, report(config=1), report(config=2))
    assert list(UsageRecord.objects.order_by("event_id").values_list("config", flat=True)) == [
        model.config_id,
        second.pk,
    ]


def test_staff_without_a_client_report_nothing(everything: World) -> None:
    refused(a_caller("reader", "read").post(PATH, [report()]), 403, "permission_denied")
