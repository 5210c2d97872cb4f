"""Pages that ask a provider what it has, and change nothing."""

from typing import Any

import pytest
from django.test import Client

from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World

PROVIDERS = "models_registry.provider"


def look(browser: Client, world: World, name: str) -> Any:
    return browser.get(page(PROVIDERS, "look", world.provider.pk, name))


def test_the_catalog_lists_all_that_the_server_offers(browser: Client, world: World) -> None:
    world.add("bge")
    world.fake.load_behind_our_back("bge")
    world.fake.add("Chat-7B")
    answer = look(browser, world, "catalog")
    assert "gpu offers 2 models." in text_of(answer)
    assert "bge Ready – bge" in text_of(answer)


def test_what_is_not_registered_leads_to_a_filled_form(browser: Client, world: World) -> None:
    world.fake.add("Chat-7B")
    body = look(browser, world, "catalog").content.decode()
    start = body.index("/admin/models_registry/registeredmodel/add/?")
    address = body[start : body.index('"', start)].replace("&amp;", "&")
    initial = browser.get(address).context["adminform"].form
    assert initial["remote_name"].value() == "Chat-7B"
    assert "name=chat-7b" in address
    assert str(initial["provider"].value()) == str(world.provider.pk)


def test_what_the_server_no_longer_offers_is_named(browser: Client, world: World) -> None:
    world.add("bge")
    world.fake.forget("bge")
    assert "Registered here, not offered there bge" in text_of(look(browser, world, "catalog"))


def test_who_may_not_register_is_offered_no_form(world: World) -> None:
    world.fake.add("chat")
    viewer = signed_in(staff("vera", "view_provider"))
    answer = look(viewer, world, "catalog")
    assert "chat" in text_of(answer)
    assert "registeredmodel/add" not in answer.content.decode()


def test_the_gpu_page_shows_residents_queue_and_operation(browser: Client, world: World) -> None:
    world.add("bge", gpu_memory_mb=2000)
    world.make_ready("bge")
    world.use("bge")
    world.add("chat", gpu_memory_mb=3000)
    world.fake.add("foreign")
    world.fake.load_behind_our_back("foreign")
    world.put("chat", wanted=True, switch_state="on", queued_at=world.at(0), waiting={"queue_position": 1})
    shown = text_of(look(browser, world, "gpu"))
    assert "bge Ready bge 2,000 MB 1" in shown
    assert "foreign Ready nobody registered it – 0" in shown
    assert "No operation is running." in shown
    assert "1 chat now" in shown


def test_the_gpu_page_shows_the_running_operation(browser: Client, world: World) -> None:
    world.add("chat", load_s=60)
    world.put("chat", wanted=True, switch_state="on")
    world.look()
    assert "Load chat – started now" in text_of(look(browser, world, "gpu"))


def test_the_preview_tells_what_differs_and_changes_nothing(browser: Client, world: World) -> None:
    world.add("bge")
    world.put("bge", wanted=True, switch_state="on")
    before = world.model("bge").revision
    shown = text_of(look(browser, world, "sync"))
    assert "Not everything is as it is wanted." in shown
    assert "Next step: load bge" in shown
    assert (world.posts(), world.model("bge").revision) == ([], before)


@pytest.mark.parametrize("name", ["catalog", "gpu"])
def test_a_dead_server_is_said_to_be_dead(browser: Client, world: World, name: str) -> None:
    world.fake.down = True
    answer = look(browser, world, name)
    assert answer.status_code == 200
    assert "gpu does not answer" in text_of(answer)


@pytest.mark.parametrize("name", ["catalog", "gpu", "sync"])
def test_who_may_not_see_the_provider_may_not_ask_it(world: World, name: str) -> None:
    assert look(signed_in(staff("nora")), world, name).status_code == 403


def test_an_unknown_page_is_not_found(browser: Client, world: World) -> None:
    assert look(browser, world, "nothing").status_code == 404
