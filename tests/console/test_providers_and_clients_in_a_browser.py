"""Providers, clients and leases in a real browser: what is typed, pressed and read."""

from collections.abc import Iterator

import pytest
import requests
from pytest_django.live_server_helper import LiveServer

from models_registry.models import Provider, RegisteredModel
from models_registry.services.registration import register_model
from tests.console.browsing import Watched
from tests.console.pages import page as address
from tests.triton.fake import FakeModel, FakeTriton
from tests.triton.fake_server import FakeTritonServer
from usage.models import Client, ClientKey, Lease
from usage.services.acquire import Request, acquire

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CLIENTS, LEASES, PROVIDERS = "usage.client", "usage.lease", "models_registry.provider"


@pytest.fixture
def triton() -> FakeTriton:
    """A server that loads at once."""
    return FakeTriton([FakeModel("bge-m3"), FakeModel("Chat-7B")])


@pytest.fixture
def server(triton: FakeTriton) -> Iterator[FakeTritonServer]:
    with FakeTritonServer(triton) as running:
        yield running


def registered(watched: Watched, server: FakeTritonServer) -> Provider:
    """A provider, as somebody registers it: refused at first, for its address is a private one."""
    page = watched.page
    watched.open(address(PROVIDERS, "add"))
    page.fill("#id_name", "gpu")
    page.fill("#id_base_url", server.url)
    with page.expect_navigation():
        page.click("[name=_save]")
    field = page.locator("#id_base_url").locator("xpath=ancestor::div[contains(@class, 'grow')][1]")
    assert "This is a private address" in field.inner_text()
    assert not Provider.objects.exists()
    page.click("#id_allow_private_network")
    with page.expect_navigation():
        page.click("[name=_save]")
    return Provider.objects.get()


def test_a_private_address_is_refused_on_its_field_then_allowed_and_checked(
    watched: Watched, server: FakeTritonServer
) -> None:
    provider = registered(watched, server)
    watched.open(address(PROVIDERS, "change", provider.pk))
    with watched.page.expect_navigation():
        watched.page.click("button:has-text('Check now')")
    assert "gpu: triton answers. Version 2.51.0" in watched.said()


def test_what_the_catalog_lists_is_registered_from_there(watched: Watched, server: FakeTritonServer) -> None:
    registered(watched, server)
    page = watched.page
    watched.open(address(PROVIDERS, "look", Provider.objects.get().pk, "catalog"))
    page.click("tr:has-text('Chat-7B') >> text=Register")
    page.wait_for_selector("#id_remote_name")
    assert (page.input_value("#id_name"), page.input_value("#id_remote_name")) == ("chat-7b", "Chat-7B")
    with page.expect_navigation():
        page.click("[name=_save]")
    assert RegisteredModel.objects.get().name == "chat-7b"


def test_a_key_is_issued_copied_used_and_revoked(watched: Watched, live_server: LiveServer) -> None:
    client = Client.objects.create(name="chatbot")
    page = watched.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    watched.open(address(CLIENTS, "change", client.pk))
    page.click("text=Issue a key")
    page.wait_for_selector("[name=scopes]")
    page.fill("[name=expires_at]", "")
    page.click("button:has-text('Issue a key')")
    key = page.inner_text("#new-key")
    page.click("[data-copy=new-key]")
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == key

    models = f"{live_server.url}/api/v1/models/"
    assert models in page.inner_text("#try-it")
    bearer = {"Authorization": f"Bearer {key}"}
    assert requests.get(models, headers=bearer, timeout=30).status_code == 200

    page.click("text=I have copied it")
    page.wait_for_selector("text=What it is set up to use")
    assert key not in page.content()
    page.click("section:has-text('Keys') >> text=Revoke")
    page.wait_for_selector("#modal-content >> text=cannot be undone")
    watched.confirm()
    assert "of chatbot is revoked." in watched.said()
    assert page.url.endswith(address(CLIENTS, "change", client.pk))
    assert ClientKey.objects.get().revoked_at is not None


def test_a_lease_is_ended_from_the_page_of_its_client(
    watched: Watched, server: FakeTritonServer, triton: FakeTriton
) -> None:
    provider = registered(watched, server)
    triton.load_behind_our_back("bge-m3")
    register_model(name="bge-m3", remote_name="bge-m3", provider=provider, actor="user:olivia")
    client = Client.objects.create(name="chatbot")
    acquire("bge-m3", Request(client_id=client.pk, ttl_s=600, instance="pod-7"))
    page = watched.page
    watched.open(address(CLIENTS, "change", client.pk))
    page.click("tr:has-text('pod-7') >> text=End")
    page.wait_for_selector("#modal-content >> text=middle of a call")
    watched.confirm()
    assert "of chatbot on bge-m3 is closed." in watched.said()
    assert Lease.objects.get().close_reason == "revoked"
    assert RegisteredModel.objects.get().open_leases == 0


def test_the_gpu_page_follows_the_server(watched: Watched, server: FakeTritonServer, triton: FakeTriton) -> None:
    provider = registered(watched, server)
    watched.open(address(PROVIDERS, "look", provider.pk, "gpu"))
    watched.page.wait_for_selector("text=Nothing is loaded.")
    triton.load_behind_our_back("bge-m3")
    watched.page.wait_for_selector("#gpu >> text=bge-m3")
