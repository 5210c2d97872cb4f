"""An operator's day in a real browser: nothing is reloaded by hand, nothing leaves the host."""

import time
from collections.abc import Iterator

import pytest

from models_registry.models import Provider, RegisteredModel
from models_registry.services.registration import register_model
from models_registry.services.switching import activate
from tests.console.browsing import Watched, kept_in_line
from tests.console.pages import page as address
from tests.triton.fake import FakeModel, FakeTriton
from tests.triton.fake_server import FakeTritonServer
from usage.models import Client
from usage.services.acquire import Request, acquire

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODELS = "models_registry.registeredmodel"


@pytest.fixture(autouse=True)
def provider(transactional_db: None, tasks: list[str]) -> Iterator[Provider]:
    """A Triton whose loads take a second and a half, kept in line by a watcher from before the browser's first page."""
    fake = FakeTriton([FakeModel("bge-m3", load_s=1.5), FakeModel("rag-chat", load_s=1.5)], clock=time.time)
    with FakeTritonServer(fake) as server:
        row = Provider.objects.create(
            name="gpu",
            kind="triton",
            base_url=server.url,
            server_key=server.url.removeprefix("http://"),
            allow_private_network=True,
            gpu_memory_mb=8000,
        )
        with kept_in_line(row.pk):
            yield row


def registered(name: str, provider: Provider) -> RegisteredModel:
    return register_model(name=name, remote_name=name, provider=provider, gpu_memory_mb=2200, actor="user:olivia")


def test_a_model_is_registered_activated_used_and_switched_off(watched: Watched, provider: Provider) -> None:
    page = watched.page
    watched.open(address(MODELS, "add"))
    page.click("[data-remote-name='bge-m3']")
    assert page.input_value("#id_name") == "bge-m3"
    page.fill("#id_gpu_memory_mb", "2200")
    with page.expect_navigation():
        page.click("[name=_save]")
    watched.status("Registered")

    watched.press("Activate")
    page.wait_for_selector("#modal-content [name=until]")
    watched.confirm()
    watched.status("Activating")
    page.evaluate("window.stillHere = true")
    page.fill("#id_description", "typed while it loads")
    watched.status("Active")
    assert page.evaluate("window.stillHere") is True
    assert page.input_value("#id_description") == "typed while it loads"

    with page.expect_navigation():
        watched.press("Verify now")
    assert "bge-m3 is ready: asked its provider just now" in watched.said()

    client = Client.objects.create(name="chatbot")
    acquire("bge-m3", Request(client_id=client.pk, ttl_s=600, instance="pod-7"))
    watched.status("In use")
    with page.expect_navigation():
        watched.press("Delete")
    assert "chatbot (pod-7) is using it: the lease runs until" in watched.said()
    assert page.query_selector("#main [type=submit].mm-button-danger") is None
    page.click("text=Back")

    watched.press("Deactivate")
    page.check("#modal-content [name=force]")
    watched.confirm()
    watched.status("Registered")
    page.wait_for_selector("#model-panel >> text=Unloaded")
    assert RegisteredModel.objects.get().deleted_at is None


def test_a_dialog_stays_open_while_the_panel_behind_it_renews_itself(watched: Watched, provider: Provider) -> None:
    model = registered("bge-m3", provider)
    RegisteredModel.objects.filter(pk=model.pk).update(drain_until=None, queued_at=None)
    page = watched.page
    watched.open(address(MODELS, "change", model.pk))
    watched.press("Activate")
    watched.confirm()
    watched.press("Deactivate")
    page.wait_for_selector("#modal-content [name=until]", state="visible")
    watched.status("Active")  # told by a renewal
    assert page.is_visible("#modal-content [name=until]")
    page.click("#modal-content [data-cancel]")
    page.wait_for_selector("#modal-content", state="hidden")
    assert RegisteredModel.objects.get(pk=model.pk).switch_state == "on"


def test_the_overview_follows_what_happens(watched: Watched, provider: Provider) -> None:
    model = registered("bge-m3", provider)
    page = watched.page
    watched.open("/admin/")
    page.wait_for_selector("text=Nothing is loaded.")
    activate(model, actor="user:olivia")
    page.wait_for_selector(".mm-residents >> text=bge-m3")
    page.wait_for_selector(".mm-residents .mm-badge:has-text('Active')")
    page.focus(".mm-residents a")
    page.evaluate("document.getElementById('overview').dataset.seen = 'yes'")
    page.wait_for_selector("#overview:not([data-seen])")  # it has renewed itself
    page.wait_for_function("document.activeElement.matches('.mm-residents a')")
    page.click(".mm-tile:has-text('Active') >> nth=0")
    page.wait_for_selector("#result_list")


def test_many_are_switched_from_the_list(watched: Watched, provider: Provider) -> None:
    for name in ("bge-m3", "rag-chat"):
        registered(name, provider)
    page = watched.page
    watched.open(address(MODELS))
    page.check("#result_list .action-select >> nth=0")
    page.select_option("select[name=action]", "bulk_activate")
    with page.expect_navigation():
        page.click("#changelist-actions-wrapper button[type=submit]")
    assert "bge-m3 is switched on." in watched.said()


def test_the_language_is_chosen_in_the_header(watched: Watched, provider: Provider) -> None:
    page = watched.page
    page.wait_for_selector("h1:has-text('Overview')")
    with page.expect_navigation():
        page.click(".mm-languages button[lang=ko]")
    page.wait_for_selector("h1:has-text('현황')")
    watched.open(address(MODELS))
    assert page.get_attribute("html", "lang") == "ko"
