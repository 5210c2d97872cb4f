"""Registering and editing a provider in the console."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from models_registry.models import Provider
from tests.console.conftest import signed_in, staff
from tests.console.pages import page
from tests.monitoring.world import World

PROVIDERS = "models_registry.provider"
SECRET = "sk-canary-0123456789abcdef"
NEW = {
    "name": "gpu-2",
    "kind": "triton",
    "base_url": "http://triton-2.example:8000/",
    "enabled": "on",
    "max_loaded_models": "2",
    "drain_s": "60",
}


def form_of(browser: Client, provider: Provider) -> dict[str, Any]:
    """What a browser would send back when nothing is changed."""
    form = browser.get(page(PROVIDERS, "change", provider.pk)).context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {name: value for name, value in values.items() if value not in (None, False, "")}


def save(browser: Client, provider: Provider, **changed: Any) -> Any:
    return browser.post(page(PROVIDERS, "change", provider.pk), form_of(browser, provider) | changed)


def errors_of(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def test_a_new_one_is_registered_and_looked_at(browser: Client, tasks: list[str], transactional_db: None) -> None:
    assert browser.post(page(PROVIDERS, "add"), NEW).status_code == 302
    provider = Provider.objects.get()
    assert (provider.name, provider.base_url) == ("gpu-2", "http://triton-2.example:8000")
    assert provider.wake_at is not None
    assert LogEntry.objects.get().action_flag == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "http://127.0.0.1:8000"),
        ("base_url", "ftp://triton.example"),
        ("name", "Not a slug"),
        ("max_loaded_models", "0"),
        ("drain_s", "-1"),
        ("metrics_url", "http://169.254.169.254/"),
    ],
)
def test_what_the_service_refuses_stands_on_its_field(browser: Client, db: None, field: str, value: str) -> None:
    errors = errors_of(browser.post(page(PROVIDERS, "add"), NEW | {field: value}))
    assert list(errors) == [field]
    assert not Provider.objects.exists()


def test_a_private_address_is_taken_with_the_permission_for_it(browser: Client, tasks: list[str], db: None) -> None:
    private = NEW | {"base_url": "http://127.0.0.1:8000", "allow_private_network": "on"}
    assert browser.post(page(PROVIDERS, "add"), private).status_code == 302


def test_a_second_one_for_the_same_server_is_refused_on_its_address(browser: Client, world: World) -> None:
    same = NEW | {"base_url": "http://127.0.0.1:18000/", "allow_private_network": "on"}
    assert "base_url" in errors_of(browser.post(page(PROVIDERS, "add"), same))


def test_name_and_kind_are_fixed_afterwards(browser: Client, world: World) -> None:
    assert save(browser, world.provider, name="other", kind="openai", drain_s="5").status_code == 302
    world.provider.refresh_from_db()
    assert (world.provider.name, world.provider.kind, world.provider.drain_s) == ("gpu", "triton", 5)


def test_an_edit_of_somebody_else_in_between_is_told(browser: Client, world: World) -> None:
    mine = form_of(browser, world.provider) | {"drain_s": "5"}
    save(browser, world.provider, client_url="http://told.example")
    answer = browser.post(page(PROVIDERS, "change", world.provider.pk), mine)
    assert "http://told.example" in errors_of(answer)["__all__"][0]
    world.provider.refresh_from_db()
    assert world.provider.drain_s == 60


def test_saving_without_a_change_is_no_edit(browser: Client, world: World) -> None:
    save(browser, world.provider)
    assert Provider.objects.get().edition == world.provider.edition


class TestKey:
    """The key of a provider is written, and never read."""

    @pytest.fixture
    def provider(self, world: World) -> Provider:
        world.provider.api_key = SECRET
        world.provider.save()
        return world.provider

    def test_the_page_shows_the_hint_as_a_placeholder_only(self, browser: Client, provider: Provider) -> None:
        body = browser.get(page(PROVIDERS, "change", provider.pk)).content.decode()
        assert SECRET not in body
        assert 'placeholder="…cdef"' in body
        assert 'type="password"' in body

    @pytest.mark.parametrize("typed", ["", "…cdef"])
    def test_empty_or_the_hint_leaves_it(self, browser: Client, provider: Provider, typed: str) -> None:
        assert save(browser, provider, api_key=typed, drain_s="5").status_code == 302
        provider.refresh_from_db()
        assert (provider.api_key, provider.drain_s) == (SECRET, 5)

    def test_another_one_replaces_it(self, browser: Client, provider: Provider) -> None:
        assert save(browser, provider, api_key="sk-another-0123456789").status_code == 302
        provider.refresh_from_db()
        assert provider.api_key == "sk-another-0123456789"
        assert "sk-another" not in LogEntry.objects.get().change_message

    def test_a_form_with_an_error_does_not_repeat_it(self, browser: Client, provider: Provider) -> None:
        answer = save(browser, provider, api_key="sk-another-0123456789", base_url="nonsense")
        assert "base_url" in errors_of(answer)
        assert "sk-another" not in answer.content.decode()

    def test_who_may_only_look_sees_the_hint(self, provider: Provider) -> None:
        viewer = signed_in(staff("vera", "view_provider"))
        body = viewer.get(page(PROVIDERS, "change", provider.pk)).content.decode()
        assert "…cdef" in body
        assert SECRET not in body

    def test_the_page_of_a_deleted_one_shows_no_key(self, browser: Client, provider: Provider, world: World) -> None:
        Provider.objects.update(deleted_at=world.at(0))
        assert SECRET not in browser.get(page(PROVIDERS, "change", provider.pk)).content.decode()
