"""Deleting a provider tells what blocks it, and is undone by a button."""

from django.contrib.admin.models import LogEntry
from django.test import Client

from models_registry.models import Provider
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World

PROVIDERS = "models_registry.provider"


def test_models_that_use_it_block_it_and_are_linked(browser: Client, shared_world: World) -> None:
    world = shared_world
    world.add("bge")
    address = page(PROVIDERS, "delete", world.provider.pk)
    answer = browser.get(address)
    assert "gpu cannot be deleted now" in text_of(answer)
    link = page("models_registry.registeredmodel", "change", world.model("bge").pk)
    assert link in answer.content.decode()

    refused = browser.post(address)
    assert "Models are registered for it: bge." in text_of(refused)
    assert Provider.objects.get().deleted_at is None


def test_a_deleted_model_does_not_block_it(browser: Client, world: World) -> None:
    world.add("bge")
    world.put("bge", deleted_at=world.at(0))
    assert browser.post(page(PROVIDERS, "delete", world.provider.pk)).status_code == 302
    assert not Provider.objects.exists()
    assert Provider.all_objects.exists()
    assert LogEntry.objects.get().action_flag == 3


def test_a_deleted_one_comes_back_enabled(browser: Client, world: World) -> None:
    browser.post(page(PROVIDERS, "delete", world.provider.pk))
    browser.post(page(PROVIDERS, "do", world.provider.pk, "restore"))
    assert Provider.objects.get().enabled


def test_one_whose_server_has_another_provider_stays_deleted(browser: Client, world: World) -> None:
    browser.post(page(PROVIDERS, "delete", world.provider.pk))
    Provider.objects.create(name="gpu-2", kind="triton", base_url="http://x", server_key=world.provider.server_key)
    answer = browser.post(page(PROVIDERS, "do", world.provider.pk, "restore"), follow=True)
    assert "Another provider stands for this Triton server now." in text_of(answer)
    assert Provider.all_objects.get(name="gpu").deleted_at is not None


def test_who_may_only_change_may_not_delete(world: World) -> None:
    editor = signed_in(staff("ed", "view_provider", "change_provider"))
    assert editor.post(page(PROVIDERS, "delete", world.provider.pk)).status_code == 403
    assert Provider.objects.exists()
