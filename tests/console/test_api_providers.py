"""Providers of APIs in the console: their form, their catalog, and importing from it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from models_registry.models import Provider, RegisteredModel
from models_registry.services.providers import create_provider
from models_registry.services.registration import register_model
from tests.api_providers.servers import KEY, ApiServer, AzureClassic
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of

PROVIDERS, MODELS = "models_registry.provider", "models_registry.registeredmodel"
AZURE = {
    "name": "azure",
    "kind": "azure_openai",
    "base_url": "https://8.8.8.8",
    "api_version": "2024-10-21",
    "api_key": KEY,
    "enabled": "on",
    "drain_s": "60",
    # what the hidden fields of another kind hold
    "max_loaded_models": "1",
    "timeout_s": "10",
    "organization": "",
}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture
def provider(server: ApiServer, tasks: list[str], db: None) -> Provider:
    return create_provider(actor="user:kim", name="api", **server.fields())


def errors_of(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def form_of(browser: Client, provider: Provider) -> dict[str, Any]:
    form = browser.get(page(PROVIDERS, "change", provider.pk)).context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {name: value for name, value in values.items() if value not in (None, False, "")}


def do_import(browser: Client, provider: Provider, **values: Any) -> Any:
    given = {"activation_policy": "manual", **values}
    return browser.post(page(PROVIDERS, "do", provider.pk, "import"), given)


# -- the form


def test_a_provider_of_each_kind_can_be_registered(browser: Client, tasks: list[str], db: None) -> None:
    assert browser.post(page(PROVIDERS, "add"), AZURE).status_code == 302
    stored = Provider.objects.get()
    assert (stored.kind, stored.api_version, stored.max_loaded_models) == ("azure_openai", "2024-10-21", None)
    assert (stored.api_key, stored.timeout_s) == (KEY, 10)


def test_each_part_of_a_pasted_endpoint_is_told_on_its_field(browser: Client, db: None) -> None:
    pasted = "https://8.8.8.8/openai/deployments/gpt4/chat/completions?api-version=2025-01-01-preview"
    errors = errors_of(browser.post(page(PROVIDERS, "add"), AZURE | {"base_url": pasted, "api_version": ""}))
    assert list(errors) == ["base_url", "api_version"]
    assert "gpt4" in errors["base_url"][0]
    assert "2025-01-01-preview" in errors["api_version"][0]


def test_each_field_says_for_which_kinds_it_is(browser: Client, db: None) -> None:
    form = browser.get(page(PROVIDERS, "add")).context["adminform"].form
    shown_when = {name: field.widget.attrs.get("data-shown-when") for name, field in form.fields.items()}
    assert shown_when["api_version"] == "id_kind=azure_openai"
    assert shown_when["max_loaded_models"] == "id_kind=triton"
    assert shown_when["organization"] == "id_kind=openai|openai_compatible"
    assert shown_when["base_url"] is shown_when["drain_s"] is None


def test_a_registered_one_shows_the_fields_of_its_kind(browser: Client, provider: Provider) -> None:
    form = browser.get(page(PROVIDERS, "change", provider.pk)).context["adminform"].form
    assert {"organization", "proxy_url", "timeout_s", "api_key_2"} <= set(form.fields)
    assert not {"api_version", "metrics_url", "max_loaded_models"} & set(form.fields)


def test_a_key_does_not_move_with_the_address(browser: Client, provider: Provider) -> None:
    moved = form_of(browser, provider) | {"base_url": "https://8.8.8.8/v1"}
    assert list(errors_of(browser.post(page(PROVIDERS, "change", provider.pk), moved))) == ["api_key"]
    again = moved | {"api_key": "sk-entered-again-0123"}
    assert browser.post(page(PROVIDERS, "change", provider.pk), again).status_code == 302
    stored = Provider.objects.get()
    assert (stored.base_url, stored.api_key) == ("https://8.8.8.8/v1", "sk-entered-again-0123")


def test_it_can_be_checked(browser: Client, provider: Provider, server: ApiServer) -> None:
    check = page(PROVIDERS, "do", provider.pk, "check-now")
    assert "It offers 2 models." in text_of(browser.post(check, follow=True))
    server.keys = set()
    assert "HTTP 401" in text_of(browser.post(check, follow=True))


def test_what_is_about_a_gpu_is_shown_for_models_of_a_server_only(
    browser: Client, provider: Provider, server: ApiServer
) -> None:
    form = browser.get(page(MODELS, "add")).context["adminform"].form
    assert form.fields["gpu_memory_mb"].widget.attrs["data-shown-when"] == "id_provider="
    unseen = {"gpu_memory_mb": "4000", "remote_version": "2", "priority": "0"}
    told = {"name": "chat", "provider": provider.pk, "remote_name": "chat-large", "kind": "chat"}
    policy = {"activation_policy": "manual", "idle_ttl_s": "300"}
    assert browser.post(page(MODELS, "add"), {**told, **policy, **unseen}).status_code == 302
    model = RegisteredModel.objects.get()
    assert (model.gpu_memory_mb, model.remote_version, model.observed) == (None, "", "ready")


def test_the_overview_lists_them(browser: Client, provider: Provider, server: ApiServer) -> None:
    register_model(actor="user:kim", name="chat", provider=provider, remote_name="chat-large")
    RegisteredModel.objects.update(error_code="not_offered")
    text = text_of(browser.get(reverse("admin:index")))
    assert "API providers api OpenAI Not asked yet 1 model 1 in error" in text
    assert "Three steps" not in text


# -- the catalog, and importing


def test_the_catalog_offers_to_import(browser: Client, provider: Provider) -> None:
    shown = browser.get(page(PROVIDERS, "look", provider.pk, "catalog"))
    assert "api offers 2 models." in text_of(shown)
    assert shown.content.decode().count('form="import" name="remote_names"') == 2


def test_who_may_not_register_models_is_not_offered_it(provider: Provider, admin: Any) -> None:
    looker = signed_in(staff("lee", "view_provider", "change_provider"))
    shown = looker.get(page(PROVIDERS, "look", provider.pk, "catalog"))
    assert "remote_names" not in shown.content.decode()
    assert do_import(looker, provider, pattern="*").status_code == 403
    assert not RegisteredModel.objects.exists()


def test_what_would_be_registered_is_shown_before_it_is(browser: Client, provider: Provider) -> None:
    preview = do_import(browser, provider, remote_names=["chat-large"], prefix="our-")
    assert "1 model will be registered; nothing has been written yet." in text_of(preview)
    assert not RegisteredModel.objects.exists()
    done = do_import(browser, provider, remote_names=["chat-large"], prefix="our-", confirmed="on")
    assert "1 model was registered." in text_of(done)
    assert [model.name for model in RegisteredModel.objects.all()] == ["our-chat-large"]
    assert "1" in LogEntry.objects.get().change_message


def test_a_pattern_chooses_where_nothing_is_ticked(browser: Client, provider: Provider) -> None:
    preview = do_import(browser, provider, pattern="embed*")
    assert 'value="embed-small" checked' in preview.content.decode()
    assert "chat-large" not in text_of(preview)


def test_what_stands_in_the_way_is_told(browser: Client, provider: Provider) -> None:
    do_import(browser, provider, remote_names=["chat-large"], confirmed="on")
    text = text_of(do_import(browser, provider, remote_names=["chat-large", "nothing", "embed-small"]))
    assert "1 is registered already." in text
    assert "1 cannot be registered." in text
    assert "The provider does not offer it." in text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "Tick the models to import, or give a pattern."),
        ({"pattern": "*", "prefix": "Sp ace"}, "Use a–z"),
        ({"pattern": "*", "activation_policy": "scheduled"}, "scheduled"),
        ({"pattern": "*", "kind": "novel"}, "novel"),
    ],
    ids=str,
)
def test_a_wish_that_makes_no_sense_is_told(
    browser: Client, provider: Provider, values: dict[str, Any], told: str
) -> None:
    assert told in text_of(do_import(browser, provider, **values))
    assert not RegisteredModel.objects.exists()


def test_a_provider_that_refuses_is_told(browser: Client, provider: Provider, server: ApiServer) -> None:
    server.keys = set()
    assert "refuses to answer" in text_of(do_import(browser, provider, pattern="*"))
    assert "refuses to answer" in text_of(browser.get(page(PROVIDERS, "look", provider.pk, "catalog")))


def test_looking_changes_nothing(browser: Client, provider: Provider) -> None:
    assert browser.get(page(PROVIDERS, "do", provider.pk, "import")).status_code == 405


def test_a_deployment_shows_its_model(browser: Client, tasks: list[str], db: None) -> None:
    with AzureClassic() as server:
        azure = create_provider(actor="user:kim", name="azure", **server.fields())
        text = text_of(browser.get(page(PROVIDERS, "look", azure.pk, "catalog")))
        choices = browser.get(page("models_registry.registeredmodel", "catalog"), {"provider": azure.pk})
    assert "chat-large gpt-4o" in text
    assert "chat-large" in text_of(choices)
