"""Operations, status events and configuration versions are looked at, never changed."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from modelmanager.lib.clock import now
from models_registry.models import ConfigVersion, StatusEvent
from models_registry.vocabulary import Status
from monitoring.models import Operation
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World

DAYS = ["2026-11-23", "2026-11-24", "2026-11-25"]  # the world's clock stands at 18:00 of the second, in Seoul
TABLES = ["monitoring.operation", "models_registry.statusevent", "models_registry.configversion"]


def operation(world: World, name: str, **fields: Any) -> Operation:
    at = now()
    told = {"kind": "load", "requested_by": "user:olivia", "started_at": at, "deadline_at": at + timedelta(minutes=5)}
    return Operation.objects.create(provider=world.provider, model=world.model(name), **told | fields)


def event(world: World, name: str, **fields: Any) -> StatusEvent:
    told = {"at": now(), "from_status": Status.REGISTERED, "to_status": Status.ERROR, "code": "load_failed"}
    return StatusEvent.objects.create(model=world.model(name), **told | fields)


@pytest.fixture
def rows(world: World) -> dict[str, Any]:
    world.add("bge")
    world.put("bge", config=None)
    done = {"finished_at": now(), "outcome": "succeeded", "posted_at": now() - timedelta(seconds=4.2)}
    return {
        "monitoring.operation": operation(world, "bge", **done),
        "models_registry.statusevent": event(world, "bge", message="CUDA out of memory", actor="system"),
        "models_registry.configversion": ConfigVersion.objects.get(),
    }


def test_an_operation_tells_its_outcome_and_how_long_it_took(browser: Client, rows: dict[str, Any]) -> None:
    shown = text_of(browser.get(page("monitoring.operation")))
    assert "Load bge gpu Succeeded" in shown
    assert "4.2 s user:olivia" in shown


def test_a_failed_operation_tells_its_error(browser: Client, world: World) -> None:
    world.add("bge")
    row = operation(world, "bge", finished_at=now(), outcome="failed", error="CUDA out of memory")
    assert "CUDA out of memory" in text_of(browser.get(page("monitoring.operation")))
    assert "CUDA out of memory" in text_of(browser.get(page("monitoring.operation", "change", row.pk)))


def test_loads_and_unloads_have_the_symbols_that_they_have_elsewhere(browser: Client, world: World) -> None:
    world.add("bge")
    operation(world, "bge")
    for path in (page("monitoring.operation"), "/admin/"):
        assert (
            '<span class="material-symbols-outlined" aria-hidden="true">download</span>'
            in browser.get(path).content.decode()
        )


@pytest.mark.parametrize(
    ("label", "title"),
    [("monitoring.operation", "Load bge: Succeeded"), ("models_registry.statusevent", "2026-11-24 18:00:00 bge")],
)
def test_the_title_of_a_record_tells_what_it_is_about(
    browser: Client, rows: dict[str, Any], label: str, title: str
) -> None:
    text = browser.get(page(label, "change", rows[label].pk)).content.decode()
    assert title in text[text.index("<h1") : text.index("</h1>")]


@pytest.mark.parametrize(("most", "told"), [(2, "2 or more status events"), (4, "3 status events")])
def test_a_list_that_is_not_counted_to_its_end_says_so(
    browser: Client, rows: dict[str, Any], world: World, monkeypatch: pytest.MonkeyPatch, most: int, told: str
) -> None:
    StatusEvent.objects.all().delete()
    for _ in range(3):
        event(world, "bge")
    monkeypatch.setattr("modelmanager.console.lists.COUNTED", most)
    assert told in text_of(browser.get(page("models_registry.statusevent")))


def test_what_is_ours_in_an_event_is_told_in_the_readers_language(
    browser: Client, rows: dict[str, Any], world: World
) -> None:
    row = event(world, "bge", code="evicted", message="for rag-chat")
    for path in (page("models_registry.statusevent"), page("models_registry.statusevent", "change", row.pk)):
        shown = text_of(browser.get(path, headers={"accept-language": "ko"}))
        assert "rag-chat에 자리를 내줌" in shown
        assert "for rag-chat" not in shown


def test_an_event_tells_both_statuses_and_who(browser: Client, rows: dict[str, Any]) -> None:
    shown = text_of(browser.get(page("models_registry.statusevent")))
    assert "bge Registered Error Loading failed CUDA out of memory system" in shown


@pytest.mark.parametrize("label", TABLES)
def test_each_row_has_a_page_without_anything_to_press(browser: Client, rows: dict[str, Any], label: str) -> None:
    answer = browser.get(page(label, "change", rows[label].pk))
    assert "bge" in text_of(answer)
    assert 'name="_save"' not in answer.content.decode()


@pytest.mark.parametrize("label", TABLES)
def test_nothing_is_added_changed_or_deleted_even_by_a_superuser(
    browser: Client, rows: dict[str, Any], label: str
) -> None:
    row = rows[label]
    assert browser.get(page(label, "add")).status_code == 403
    assert browser.post(page(label, "change", row.pk), {}).status_code == 403
    assert browser.post(page(label, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    ("label", "query"),
    [
        ("monitoring.operation", {"outcome__exact": "failed"}),
        ("monitoring.operation", {"kind__exact": "unload"}),
        ("models_registry.statusevent", {"to_status__exact": "10"}),
        ("models_registry.configversion", {"q": "nothing-like-it"}),
    ],
)
def test_a_filter_leaves_out_what_does_not_match(
    browser: Client, rows: dict[str, Any], label: str, query: dict[str, str]
) -> None:
    assert browser.get(page(label), query).context["cl"].result_count == 0


@pytest.mark.parametrize("label", TABLES)
def test_rows_are_filtered_by_model_and_time(browser: Client, rows: dict[str, Any], world: World, label: str) -> None:
    world.add("other")
    of_other = {"model__id__exact": str(world.model("other").pk)}
    found = browser.get(page(label), of_other).context["cl"].result_list
    assert all(row.model.name == "other" for row in found)

    field = {"monitoring.operation": "started_at", "models_registry.statusevent": "at"}.get(label, "created_at")
    counts = [
        browser.get(page(label), {f"{field}_from": day, f"{field}_to": day}).context["cl"].result_count for day in DAYS
    ]
    assert [count > 0 for count in counts] == [False, True, False]


@pytest.mark.parametrize("label", TABLES)
def test_it_takes_the_same_queries_for_one_and_for_many(
    browser: Client, world: World, label: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(15):
        world.add(f"m-{number}")
        operation(world, f"m-{number}", finished_at=now(), outcome="failed")
        event(world, f"m-{number}")
    with django_assert_max_num_queries(8):
        assert "m-14" in text_of(browser.get(page(label)))


@pytest.mark.parametrize("label", TABLES)
def test_who_may_not_look_does_not(world: World, label: str) -> None:
    assert signed_in(staff("nora")).get(page(label)).status_code == 403


def test_a_list_without_end_counts_no_further_than_needed(browser: Client, world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("modelmanager.console.lists.COUNTED", 3)
    world.add("bge")
    for _number in range(5):
        event(world, "bge")
    assert browser.get(page("models_registry.statusevent")).context["cl"].result_count == 3
