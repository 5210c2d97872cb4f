"""Registering an API provider and importing its models in a real browser."""

import pytest

from models_registry.models import Provider, RegisteredModel
from tests.api_providers.servers import API_VERSION, KEY, AzureClassic
from tests.console.browsing import Watched
from tests.console.pages import page as address

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PROVIDERS = "models_registry.provider"


def test_from_the_form_to_the_imported_models(watched: Watched) -> None:
    with AzureClassic() as server:
        register(watched, server)
        import_what_is_ticked(watched)
    names = list(RegisteredModel.objects.order_by("name").values_list("name", "kind"))
    assert names == [("azure-chat-large", "chat")]


def register(watched: Watched, server: AzureClassic) -> None:
    page = watched.page
    watched.open(address(PROVIDERS, "add"))
    assert page.is_visible("#id_max_loaded_models")
    assert page.is_hidden("#id_api_version")
    page.select_option("#id_kind", "azure_openai")
    assert page.is_hidden("#id_max_loaded_models")
    assert page.is_visible("#id_api_version")
    page.fill("#id_name", "azure")
    page.fill("#id_base_url", f"{server.root}/openai/deployments/chat-large?api-version={API_VERSION}")
    page.fill("#id_api_key", KEY)
    page.check("#id_allow_private_network")
    save(watched)
    assert "“chat-large” is a deployment" in watched.said()
    page.fill("#id_base_url", server.root)
    page.fill("#id_api_version", API_VERSION)
    page.fill("#id_api_key", KEY)
    save(watched)
    assert Provider.objects.get().kind == "azure_openai"


def save(watched: Watched) -> None:
    with watched.page.expect_navigation():
        watched.page.click("[name=_save]")


def import_what_is_ticked(watched: Watched) -> None:
    page = watched.page
    watched.open(address(PROVIDERS, "look", Provider.objects.get().pk, "catalog"))
    page.check("[data-tick-all]")
    assert page.locator("[name=remote_names]:checked").count() == 2
    page.fill("#id_prefix", "azure-")
    with page.expect_navigation():
        page.click("text=Preview the import")
    assert "2 models will be registered" in watched.said()
    page.uncheck("[name=remote_names][value=embed-small]")
    with page.expect_navigation():
        page.click("text=Register what is ticked")
    assert "1 model was registered." in watched.said()
