"""Started with keys that open nothing of what is stored, everything works but what needs those secrets."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import translation

from modelmanager.lib.clock import now
from models_registry.models import Provider, RegisteredModel
from models_registry.services.providers import check_provider
from models_registry.services.registration import register_model
from models_registry.vocabulary import Observed
from tests.api.calls import Caller, a_caller, done, refused
from tests.api.endpoints import ENDPOINTS, smallest_body
from tests.console.pages import page, text_of
from tests.monitoring.world import World
from tests.secrets.arranging import OTHER_INSTALLATION, an_api_provider, fresh

HEALTHY = {"checked_at": "2026-11-24T09:00:00Z", "health_since": "2026-11-24T09:00:00Z", "consecutive_successes": 3}
AGAIN = "enter the key again"


@pytest.fixture
def cloud(everything: World, settings: Any) -> Provider:
    """It was healthy when its key could still be read."""
    provider = an_api_provider(**HEALTHY)
    assert provider.health_state == "ok"
    settings.CREDENTIAL_KEYS = [OTHER_INSTALLATION]
    return fresh(provider)


def test_its_row_says_enter_the_key_again_and_is_not_healthy(browser: Browser, cloud: Provider) -> None:
    listed = text_of(browser.get(page("models_registry.provider")))
    assert "Enter the key again" in listed
    shown = text_of(browser.get(page("models_registry.provider", "change", cloud.pk)))
    assert AGAIN in shown
    assert "Answers" not in shown


def test_the_api_says_so_too(cloud: Provider, manager: Caller) -> None:
    told = done(manager.get("providers/cloud/"))
    assert told["health"]["state"] == "failing"
    assert AGAIN in told["health"]["error"]
    assert told["api_key_hint"] == told["api_key_2_hint"] == ""


def test_a_check_does_not_make_it_healthy(cloud: Provider, manager: Caller) -> None:
    with translation.override("en"):
        assert AGAIN in check_provider(cloud).detail
    answer = done(manager.post("providers/cloud/check/"))
    assert (answer["ok"], answer["outcome"]) == (False, "credential_invalid")
    assert done(manager.get("providers/cloud/"))["health"]["state"] == "failing"


def test_a_second_key_that_can_be_read_is_enough(cloud: Provider) -> None:
    cloud.api_key_2 = "entered-again-0123456789"
    cloud.save(update_fields=["api_key_2"])
    assert not fresh(cloud).keys_are_unreadable
    assert fresh(cloud).health_state == "ok"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_no_endpoint_breaks(cloud: Provider, manager: Caller, endpoint: Any) -> None:
    for name in ("gpu", "cloud") if endpoint.route.startswith("providers/<") else (None,):
        path = endpoint.path(**({"name": name} if name else {}))
        assert manager.send(endpoint.method, path, smallest_body(endpoint)).status_code != 500


@pytest.mark.parametrize("path", ["", "add/", "{pk}/change/", "{pk}/history/", "{pk}/delete/", "{pk}/do/reveal-key/"])
def test_no_page_breaks(browser: Browser, cloud: Provider, path: str) -> None:
    assert browser.get(f"{page('models_registry.provider')}{path.format(pk=cloud.pk)}").status_code == 200


def test_the_overview_does_not_break(browser: Browser, cloud: Provider) -> None:
    assert browser.get("/admin/").status_code == 200


def test_the_doctor_names_it(cloud: Provider) -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", stdout=out)
    assert "cloud" in out.getvalue()
    assert AGAIN in out.getvalue()


def test_no_lease_pretends_that_a_provider_needs_no_key(cloud: Provider) -> None:
    model = register_model(actor="user:kim", name="gpt", remote_name="gpt", provider=cloud, verify=False)
    facts = {"observed": Observed.READY, "wanted": True, "switch_state": "on", "error_code": ""}
    RegisteredModel.objects.filter(pk=model.pk).update(**facts)
    at = now()
    Provider.objects.filter(pk=cloud.pk).update(checked_at=at, passed_at=at, health_since=at, health_code="ok")
    problem = refused(a_caller("trusted", "use", "secrets").post("leases/", {"model": "gpt"}), 409, "model_error")
    assert problem["cause"] == "credential_invalid"
    assert AGAIN in problem["detail"]


def test_a_triton_model_is_leased_as_ever(everything: World, settings: Any) -> None:
    Provider.objects.filter(pk=everything.provider.pk).update(api_key="a key that a proxy wants")
    everything.make_ready("embedder")
    settings.CREDENTIAL_KEYS = [OTHER_INSTALLATION]
    assert everything.use("embedder").lease_id
