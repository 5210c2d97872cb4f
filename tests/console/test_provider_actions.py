"""What can be done with a provider by its buttons."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from models_registry.models import Provider
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World

PROVIDERS = "models_registry.provider"


def act(browser: Client, world: World, name: str, **data: Any) -> Any:
    return browser.post(page(PROVIDERS, "do", world.provider.pk, name), data, follow=True)


def test_a_check_tells_version_and_latency(browser: Client, world: World) -> None:
    shown = text_of(act(browser, world, "check-now"))
    assert "gpu: triton answers. Version 2.51.0" in shown
    assert " ms." in shown


def test_a_check_of_a_dead_server_tells_why(browser: Client, world: World) -> None:
    world.fake.down = True
    assert "gpu gave no good answer within" in text_of(act(browser, world, "check-now"))


def test_disabling_asks_first_and_is_noted(browser: Client, world: World) -> None:
    question = browser.get(page(PROVIDERS, "do", world.provider.pk, "disable"))
    assert "no new leases" in text_of(question)
    assert Provider.objects.get().enabled

    assert "gpu is disabled." in text_of(act(browser, world, "disable"))
    assert not Provider.objects.get().enabled
    assert LogEntry.objects.get().get_change_message() == "Disabled."

    assert "gpu is enabled." in text_of(act(browser, world, "enable"))
    assert Provider.objects.get().enabled


def test_a_resync_acts_and_reports_each_model(browser: Client, world: World) -> None:
    world.add("bge")
    world.add("chat")
    world.fake.load_behind_our_back("chat")
    world.put("bge", wanted=True, switch_state="on")

    shown = text_of(act(browser, world, "resync"))

    assert "Everything is as it is wanted." in shown
    assert "bge loaded Ready Ready" in shown
    assert "chat not loaded" in shown
    assert world.resident() == ["bge"]
    assert LogEntry.objects.get().get_change_message() == "Resynchronised."


def test_a_resync_does_not_wait_for_a_long_load(
    browser: Client, shared_world: World, tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.sync.BRIEFLY_S", 0.05)
    world = shared_world
    world.add("chat", load_s=200)
    world.put("chat", wanted=True, switch_state="on")
    tasks.clear()

    shown = text_of(act(browser, world, "resync"))

    assert "chat is being loaded" in shown
    assert "the worker goes on where it can" in shown
    assert "monitoring.tasks.watch" in tasks


def test_a_resync_of_a_dead_server_says_so(browser: Client, world: World) -> None:
    world.add("bge")
    world.fake.down = True
    assert "gpu does not answer" in text_of(act(browser, world, "resync"))


def test_many_are_checked_from_the_list(browser: Client, world: World) -> None:
    chosen = {"action": "bulk_check-now", "_selected_action": [world.provider.pk]}
    assert "gpu: triton answers." in text_of(browser.post(page(PROVIDERS), chosen, follow=True))


@pytest.mark.parametrize("name", ["check-now", "disable", "resync"])
def test_who_may_only_look_may_not_act(world: World, name: str) -> None:
    viewer = signed_in(staff("vera", "view_provider"))
    assert act(viewer, world, name).status_code == 403
    assert Provider.objects.get().enabled
    shown = text_of(viewer.get(page(PROVIDERS, "change", world.provider.pk)))
    assert "Disable" not in shown


@pytest.mark.parametrize("name", ["check-now", "enable", "resync"])
def test_a_get_changes_nothing(browser: Client, world: World, name: str) -> None:
    assert browser.get(page(PROVIDERS, "do", world.provider.pk, name)).status_code == 405
    assert not world.posts()
