"""How much GPU memory a model really takes, and memory that did not come back."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from models_registry.models import Provider
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World

PROVIDERS = "models_registry.provider"
MODELS = "models_registry.registeredmodel"
HELD = "GPU memory of an unloaded model did not come back."


@pytest.fixture
def measured(world: World) -> World:
    """A model that takes more than was declared, on a GPU of 6,000 MB."""
    Provider.objects.update(gpu_memory_mb=6000, max_loaded_models=None)
    world.add("bge", gpu_memory_mb=2000)
    world.make_ready("bge")
    world.put("bge", measured_memory_mb=3000)
    return world


@pytest.fixture
def held(world: World) -> World:
    Provider.objects.update(memory_awaited_mb=80, memory_held_since=world.at(-60))
    return world


def act_url(world: World) -> str:
    return page(PROVIDERS, "do", world.provider.pk, "let-loading-go-on")


def places_of_the_hold(world: World) -> list[str]:
    """The overview, the provider's page, and what is on its GPU now."""
    provider = world.provider.pk
    return ["/admin/", page(PROVIDERS, "change", provider), page(PROVIDERS, "look", provider, "gpu")]


def test_the_model_s_page_shows_what_was_measured_beside_what_was_declared(browser: Client, measured: World) -> None:
    address = page(MODELS, "change", measured.model("bge").pk)
    assert "GPU memory 3,000 MB, measured; declared 2,000 MB" in text_of(browser.get(address))
    measured.put("bge", measured_memory_mb=1500)
    assert "GPU memory 2,000 MB, measured 1,500 MB" in text_of(browser.get(address))
    measured.put("bge", gpu_memory_mb=None)
    assert "GPU memory 1,500 MB, measured" in text_of(browser.get(address))
    measured.put("bge", measured_memory_mb=None)
    assert "GPU memory – " in text_of(browser.get(address))


def test_lists_and_bars_count_the_larger(browser: Client, measured: World) -> None:
    overview = browser.get("/admin/")
    assert "3,000 MB of 6,000 MB" in text_of(overview)
    assert "width: 50.00%" in overview.content.decode()
    assert "3,000 MB" in text_of(browser.get(page(MODELS)))
    assert "3,000 MB / 6,000 MB" in text_of(browser.get(page(PROVIDERS)))


def test_the_gpu_page_counts_the_larger_and_shows_both(browser: Client, measured: World) -> None:
    answer = browser.get(page(PROVIDERS, "look", measured.provider.pk, "gpu"))
    assert "the larger: 3,000 MB / 6,000 MB" in text_of(answer)
    assert "bge Ready bge 3,000 MB, measured; declared 2,000 MB" in text_of(answer)
    assert "width: 50%" in answer.content.decode()


def test_memory_that_did_not_come_back_is_told_wherever_the_server_is_shown(browser: Client, held: World) -> None:
    for address in places_of_the_hold(held):
        shown = text_of(browser.get(address))
        assert HELD in shown, address
        assert "until at most 80 MB are in use" in shown, address
        assert shown.count("Let loading go on") == 1, address


def test_letting_it_go_asks_first_and_is_noted(browser: Client, held: World) -> None:
    assert "A load that does not find enough of it fails." in text_of(browser.get(act_url(held)))
    assert held.provider_row().memory_held_since is not None

    assert "gpu: loading goes on." in text_of(browser.post(act_url(held), follow=True))

    assert held.provider_row().memory_held_since is None
    assert held.provider_row().wake_at is not None
    assert LogEntry.objects.get().get_change_message() == "Let loading go on."
    assert HELD not in text_of(browser.get("/admin/"))


def test_who_may_only_look_is_told_and_may_not_let_it_go(held: World) -> None:
    viewer = signed_in(staff("vera", "view_provider", "view_registeredmodel"))
    for address in places_of_the_hold(held):
        shown = text_of(viewer.get(address))
        assert HELD in shown, address
        assert "Let loading go on" not in shown, address
    assert viewer.post(act_url(held)).status_code == 403
    assert held.provider_row().memory_held_since is not None
