"""Deleting and restoring models."""

from typing import Any

from django.contrib.messages import get_messages
from django.test import Client

from tests.console.pages import page, text_of
from tests.monitoring.world import World
from usage.services.bindings import bind

MODELS = "models_registry.registeredmodel"


def deletion(world: World) -> str:
    return page(MODELS, "delete", world.model("bge-m3").pk)


def restore(browser: Client, world: World) -> str:
    answer: Any = browser.post(page(MODELS, "do", world.model("bge-m3").pk, "restore"))
    return str([*get_messages(answer.wsgi_request)][-1])


def test_a_model_is_deleted_after_asking(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.look()
    assert "Delete bge-m3?" in text_of(browser.get(deletion(world)))
    assert world.model("bge-m3").deleted_at is None
    assert browser.post(deletion(world)).status_code == 302
    assert world.model("bge-m3").deleted_at is not None


def test_a_blocked_deletion_names_each_thing_in_its_way(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.make_ready("bge-m3")
    world.use("bge-m3", instance="pod-7")
    bind("bge-m3", client_id=world.client.pk, reference="rag/index")
    for answer in (browser.get(deletion(world)), browser.post(deletion(world))):
        shown = text_of(answer)
        assert "chatbot (pod-7) is using it: the lease runs until" in shown
        assert "chatbot is set up to use it as “rag/index”." in shown
        assert "It is switched on: deactivate it first." in shown
        assert "It is on the GPU (Ready)" in shown
    assert world.model("bge-m3").deleted_at is None


def test_a_deleted_model_is_shown_and_cannot_be_edited_or_switched(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.put("bge-m3", deleted_at=world.at(0))
    address = page(MODELS, "change", world.model("bge-m3").pk)
    shown = browser.get(address)
    assert [button.action.name for button in shown.context["buttons"]] == ["configs", "usage", "restore"]
    assert browser.post(address, {"priority": "7"}).status_code == 403
    assert browser.post(page(MODELS, "do", world.model("bge-m3").pk, "activate")).status_code == 403
    assert browser.post(deletion(world)).status_code == 403


def test_a_list_with_deleted_rows_tells_which_are(browser: Client, world: World) -> None:
    for name in ("bge-m3", "rag-chat"):
        world.add(name)
    world.look()
    browser.post(deletion(world))
    columns = {query: browser.get(page(MODELS), query and {"deleted": query}).context["cl"] for query in ("", "all")}
    assert "shown_deleted" not in columns[""].list_display
    assert columns["all"].list_display[2] == "shown_deleted"  # after the box to tick and the name
    assert {row.name: row.deleted_at is None for row in columns["all"].result_list} == {
        "bge-m3": False,
        "rag-chat": True,
    }
    for label in ("models_registry.provider", "models_registry.window", "usage.client"):
        assert browser.get(page(label), {"deleted": "yes"}).status_code == 200


def test_a_deleted_model_is_restored(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.put("bge-m3", deleted_at=world.at(0))
    assert restore(browser, world) == "bge-m3 is restored."
    assert world.model("bge-m3").deleted_at is None


def test_a_restoration_that_is_refused_says_why(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.put("bge-m3", deleted_at=world.at(0))
    type(world.provider).objects.update(deleted_at=world.at(0))
    assert restore(browser, world) == "Restore its provider gpu first."
    assert world.model("bge-m3").deleted_at is not None
