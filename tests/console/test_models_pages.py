"""The list of models and the page of one: what they tell."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from models_registry.vocabulary import ErrorCode, Observed
from tests.console.pages import page, text_of
from tests.monitoring.world import World
from usage.services.bindings import bind

MODELS = "models_registry.registeredmodel"


def change(world: World, name: str = "bge-m3") -> str:
    return page(MODELS, "change", world.model(name).pk)


def test_the_list_shows_each_model_with_its_status(browser: Client, world: World) -> None:
    world.add("bge-m3", gpu_memory_mb=2200, display_name="BGE M3")
    world.make_ready("bge-m3")
    shown = text_of(browser.get(page(MODELS)))
    assert all(word in shown for word in ("bge-m3", "BGE M3", "Active", "Ready", "2,200 MB", "gpu"))


def test_the_list_says_who_holds_the_gpu_that_a_model_waits_for(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.add("rag-chat")
    world.make_ready("bge-m3")
    world.use("bge-m3")
    world.put("rag-chat", switch_state="on", wanted=True, queued_at=world.at(0), observed=Observed.UNLOADED)
    world.look()
    shown = text_of(browser.get(page(MODELS)))
    assert "The GPU is held by bge-m3 until" in shown
    assert "Next in the queue." in shown


def test_the_list_is_filtered_by_one_or_several_statuses(browser: Client, world: World) -> None:
    for name in ("aa", "bb", "cc"):
        world.add(name)
    world.make_ready("bb")
    world.put("cc", wanted=True, error_code=ErrorCode.LOAD_FAILED)
    assert names(browser.get(page(MODELS), {"status": "error"})) == ["cc"]
    assert names(browser.get(page(MODELS), {"status": ["error", "active"]})) == ["bb", "cc"]
    assert names(browser.get(page(MODELS), {"status": "nonsense"})) == ["aa", "bb", "cc"]


def test_the_list_is_sorted_by_status_in_its_lifecycle_order(browser: Client, world: World) -> None:
    for name in ("aa", "bb", "cc"):
        world.add(name)
    world.make_ready("bb")
    world.put("aa", wanted=True, error_code=ErrorCode.LOAD_FAILED)
    assert names(browser.get(page(MODELS), {"o": "2"})) == ["cc", "bb", "aa"]
    assert names(browser.get(page(MODELS), {"o": "-2"})) == ["aa", "bb", "cc"]


def test_the_list_is_searched(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.add("rag-chat", display_name="Answers")
    assert names(browser.get(page(MODELS), {"q": "answ"})) == ["rag-chat"]


def test_a_page_by_status_is_read_from_its_index(browser: Client, world: World) -> None:
    world.add("bge-m3")
    for wish, keys in (("2", ["status", "pk"]), ("-2", ["-status", "-pk"])):
        assert list(browser.get(page(MODELS), {"o": wish}).context["cl"].queryset.query.order_by) == keys


def test_the_list_shows_the_deleted_only_when_asked(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.add("gone")
    world.put("gone", deleted_at=world.at(0))
    assert names(browser.get(page(MODELS))) == ["bge-m3"]
    assert names(browser.get(page(MODELS), {"deleted": "yes"})) == ["gone"]
    assert names(browser.get(page(MODELS), {"deleted": "all"})) == ["bge-m3", "gone"]


def test_the_list_takes_as_many_queries_for_fifty_models_as_for_two(
    browser: Client, world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("aa", "bb"):
        world.add(name)
    browser.get(page(MODELS))
    with django_assert_num_queries(6) as few:
        browser.get(page(MODELS))
    for number in range(40):
        world.add(f"model-{number}")
    with django_assert_num_queries(len(few)):
        browser.get(page(MODELS))


def test_an_empty_list_says_what_to_do_next(browser: Client, world: World) -> None:
    assert "add a provider first" in text_of(browser.get(page(MODELS)))
    world.add("bge-m3")
    assert "Nothing here fits the search" in text_of(browser.get(page(MODELS), {"q": "xyz"}))


def test_the_page_tells_an_error_and_what_to_do_next(browser: Client, world: World) -> None:
    world.add("bge-m3", failure="CUDA out of memory")
    world.switch_on("bge-m3")
    world.look()
    shown = text_of(browser.get(change(world)))
    assert "Loading failed: load failed for model 'bge-m3'" in shown
    assert "CUDA out of memory" in shown
    assert "Mend what the server complains about" in shown
    assert "Tries again at" in shown


def test_the_page_tells_who_uses_the_model_and_what_happened(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.make_ready("bge-m3")
    world.use("bge-m3", instance="pod-7")
    bind("bge-m3", client_id=world.client.pk, reference="rag/index")
    world.put("bge-m3", drain_until=world.at(30))
    shown = text_of(browser.get(change(world)))
    assert all(word in shown for word in ("In use", "chatbot", "pod-7", "rag/index", "then they are revoked"))


@pytest.mark.parametrize(("busy", "seconds"), [(True, "2"), (False, "15")])
def test_the_panel_renews_itself_sooner_while_something_is_under_way(
    browser: Client, world: World, busy: bool, seconds: str
) -> None:
    world.add("bge-m3", load_s=30)
    world.put("bge-m3", switch_state="on" if busy else "auto", wanted=busy)
    world.look()
    fragment = browser.get(page(MODELS, "panel", world.model("bge-m3").pk))
    assert f"every {seconds}s" in fragment.content.decode()
    assert ("It is being loaded." in text_of(fragment)) is busy
    assert "<form id" not in fragment.content.decode()


def test_a_panel_asked_for_after_signing_out_reloads_the_page(browser: Client, world: World) -> None:
    world.add("bge-m3")
    answer = Client().get(page(MODELS, "panel", world.model("bge-m3").pk))
    assert answer.headers["HX-Refresh"] == "true"
    assert b"bge-m3" not in answer.content


def test_the_page_asks_no_server(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.fake.calls.clear()
    browser.get(change(world))
    browser.get(page(MODELS))
    assert world.fake.calls == {}


def test_the_page_speaks_korean_unless_asked_otherwise(admin: Any, world: World) -> None:
    world.add("bge-m3")
    korean = Client()
    korean.force_login(admin)
    assert "등록됨" in text_of(korean.get(page(MODELS)))
    assert "Registered" in text_of(korean.get(page(MODELS), headers={"Accept-Language": "en"}))
    korean.post("/i18n/setlang/", {"language": "en", "next": "/admin/"})
    assert "Registered" in text_of(korean.get(page(MODELS), headers={"Accept-Language": "ko"}))


def names(answer: Any) -> list[str]:
    return [model.name for model in answer.context["cl"].result_list]
