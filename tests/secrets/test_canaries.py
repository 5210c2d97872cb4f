"""Planted secrets come out nowhere: no response, page, log line, stored column, task, traceback or command."""

import contextlib
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings as installation
from django.contrib import admin as site
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client as Browser
from django_q.models import OrmQ

from models_registry import gateways
from models_registry.models import AuditEntry, Provider, RegisteredModel, StatusEvent
from models_registry.providers.errors import ProviderError
from models_registry.refusals import Refusal
from models_registry.services import providers
from models_registry.services.registration import register_model
from tests.api.calls import Caller, a_caller, done
from tests.api.endpoints import ENDPOINTS, Endpoint, smallest_body
from tests.console.conftest import signed_in
from tests.console.pages import page, pages_of_tables
from tests.monitoring.world import World
from tests.secrets.canaries import Canaries, as_text, everything_logged, everything_stored, everything_told_by
from tests.secrets.echoing import WAYS, Echo, echoing_server
from usage.models import ClientKey
from usage.services.clients import issue_key

KEY = "sk-canary/first+0123456789&abcd"
KEY_2 = "sk-canary/second+9876543210&wxyz"
PASSWORD = "a-canary-of-a-password-77"


@dataclass
class Planted:
    """An installation whose every secret is known."""

    world: World
    echo: Echo
    cloud: Provider
    caller: Caller
    browser: Browser
    canaries: Canaries
    lines: list[str]

    def told(self, what: str, response: Any) -> Any:
        self.canaries.refuse(what, as_text(response))
        return response


@pytest.fixture
def planted(everything: World, settings: Any, transactional_db: None) -> Iterator[Planted]:
    settings.API_PATIENCE_S = 5.0
    with echoing_server() as echo, everything_logged() as lines:
        keys = {"api_key": KEY, "api_key_2": KEY_2}
        cloud = providers.create_provider(
            actor="user:kim",
            name="cloud",
            kind="openai_compatible",
            base_url=f"{echo.origin}/v1",
            allow_private_network=True,
            **keys,
        )
        register_model(actor="user:kim", name="gpt", remote_name="gpt-x", provider=cloud, verify=False)
        providers.create_provider(
            actor="user:kim",
            name="azure",
            kind="azure_openai",
            base_url=f"{echo.origin}/openai/v1",
            allow_private_network=True,
            **keys,
        )
        Provider.objects.filter(name="gpu").update(api_key=KEY)
        client_key, _row = issue_key(everything.client, scopes=["manage"], actor="user:kim")
        User.objects.create_superuser("olivia", password=PASSWORD)
        canaries = Canaries(
            first_key=KEY,
            second_key=KEY_2,
            client_key=client_key,
            client_key_without_prefix=client_key.removeprefix("mm_"),
            password=PASSWORD,
            secret_key=installation.SECRET_KEY,
            **{f"credential_key_{n}": key for n, key in enumerate(installation.CREDENTIAL_KEYS)},
        )
        browser = signed_in(User.objects.get(username="olivia"))
        browser.raise_request_exception = False
        yield Planted(everything, echo, cloud, Caller(client_key), browser, canaries, lines)
    canaries.refuse("the log", "\n".join(lines))
    canaries.refuse("the database", everything_stored())
    for what, rows in (
        ("the tasks", [f"{row.payload} {row.task}" for row in OrmQ.objects.all()]),
        ("the sessions", [str(session.get_decoded()) for session in Session.objects.all()]),
        ("the trail", list(AuditEntry.objects.values())),
        ("the events", list(StatusEvent.objects.values())),
    ):
        assert not canaries.found_in(repr(rows)), what


def bodies(endpoint: Endpoint) -> list[Any]:
    """What is sent to an endpoint: fitting, with secrets where they belong and do not, and broken."""
    smallest = smallest_body(endpoint)
    if endpoint.method == "get":
        return [None]
    secrets = {"api_key": KEY, "api_key_2": [KEY_2], "drain_s": "soon"}
    return [smallest, {"api_key": {"is": KEY}}, (smallest or {}) | secrets, ('{"api_key": "' + KEY).encode(), [KEY]]


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_no_endpoint_gives_one_away(planted: Planted, endpoint: Endpoint) -> None:
    names: list[dict[str, Any]] = [{}]
    if endpoint.route.startswith("providers/<"):
        names = [{"name": name} for name in ("gpu", "cloud", "azure")]
        planted.echo.way = "in a 401"
    for values in names:
        for body in bodies(endpoint):
            response = planted.caller.send(endpoint.method, endpoint.path(**values), body)
            planted.told(f"{endpoint} {values}", response)
            assert response.status_code < 500 or response.status_code == 503, as_text(response)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_provider_that_gives_it_away_gives_it_to_nobody_else(planted: Planted, way: str) -> None:
    planted.echo.way = way
    for name in ("cloud", "azure"):
        provider = Provider.objects.get(name=name)
        for method, path, body in (
            ("post", "check/", None),
            ("get", "catalog/", None),
            ("post", "verify/", {"remote_name": "gpt-x"}),
            ("get", "", None),
        ):
            planted.told(f"{name} {path}", planted.caller.send(method, f"providers/{name}/{path}", body))
        planted.told("check", planted.browser.post(page("models_registry.provider", "do", provider.pk, "check-now")))
        planted.told("page", planted.browser.get(page("models_registry.provider", "change", provider.pk)))
        planted.told("catalog", planted.browser.get(page("models_registry.provider", "look", provider.pk, "catalog")))
        gateway = gateways.api(provider)
        planted.canaries.refuse("the gateway", repr(gateway) + repr(gateway.settings))  # type: ignore[attr-defined]
        for ask in (gateway.offers, lambda gateway=gateway: gateway.offered("gpt-x")):
            try:
                ask()
            except (ProviderError, Refusal) as error:
                planted.canaries.refuse("the error", everything_told_by(error))
    planted.told("lease", planted.caller.post("leases/", {"model": "gpt"}))
    assert planted.echo.asked, "it was never asked"
    assert {key for _path, key in planted.echo.asked} <= {KEY, KEY_2}
    assert planted.echo.stolen == []


def addresses() -> Iterator[str]:
    """Every page of the console that answers to GET, and what its lists find."""
    yield from ("/admin/", "/admin/overview/", "/admin/password_change/", "/admin/jsi18n/")
    yield from pages_of_tables()
    for table in site.site._registry:
        yield f"{page(f'{table._meta.app_label}.{table._meta.model_name}')}?q=canary"


@pytest.mark.slow
def test_no_page_of_the_console_gives_one_away(planted: Planted) -> None:
    planted.echo.way = "in a 403"
    planted.caller.patch("providers/cloud/", {"drain_s": 5, "api_key": KEY})
    visited = 0
    for address in addresses():
        response = planted.told(address, planted.browser.get(address))
        assert response.status_code in (200, 302, 403, 404, 405), f"{address}: {response.status_code}"
        visited += response.status_code == 200
    assert visited > 60


def test_a_form_that_is_refused_does_not_repeat_what_was_typed(planted: Planted) -> None:
    typed = {"name": "Bad Name", "kind": "openai", "base_url": "ftp://x", "api_key": KEY, "api_key_2": KEY_2}
    refused = planted.told("add", planted.browser.post(page("models_registry.provider", "add"), typed))
    assert "ftp://x" in refused.content.decode(), "the form was shown again"
    change = page("models_registry.provider", "change", planted.cloud.pk)
    planted.told("change", planted.browser.post(change, typed | {"timeout_s": "soon"}))
    reveal = page("models_registry.provider", "do", planted.cloud.pk, "reveal-key")
    planted.told("reveal", planted.browser.post(reveal, {"key": "api_key"}))


def test_a_proxy_with_a_password_in_its_address_is_refused_and_not_repeated(planted: Planted) -> None:
    proxy = {"proxy_url": f"http://kim:{PASSWORD}@10.0.0.1:3128", "api_key": KEY, "api_key_2": KEY_2}
    response = planted.told("patch", planted.caller.patch("providers/cloud/", proxy))
    assert [error["field"] for error in response.json()["errors"]] == ["proxy_url"]


@pytest.mark.parametrize(
    "address", ["/api/schema/", "/api/docs/", "/healthz", "/readyz", "/nowhere", "/api/v1/nowhere/"]
)
def test_schema_docs_and_health_give_none_away(planted: Planted, address: str) -> None:
    headers = {"Authorization": f"Bearer {planted.caller.key}"}
    planted.told(address, Browser(raise_request_exception=False).get(address, headers=headers))


@pytest.mark.parametrize("debug", [True, False])
def test_a_fault_of_ours_gives_none_away_even_with_debug_on(
    planted: Planted, settings: Any, monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("a fault")

    settings.DEBUG = debug
    monkeypatch.setattr(providers, "_refuse_invalid", broken)
    browser = Browser(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {planted.caller.key}"}
    body = json.dumps({"api_key": KEY, "api_key_2": KEY_2})
    for accept in ("text/html", "application/json"):
        faulty = browser.patch(
            "/api/v1/providers/cloud/", body, content_type="application/json", headers=headers | {"Accept": accept}
        )
        assert faulty.status_code == 500
        planted.told(f"the fault as {accept}", faulty)
    form = planted.browser.get(page("models_registry.provider", "add")).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    typed = {"name": "new", "kind": "openai_compatible", "base_url": "http://x", "api_key": KEY, "api_key_2": KEY_2}
    faulty = planted.browser.post(page("models_registry.provider", "add"), shown | typed)
    assert faulty.status_code == 500
    planted.told("the fault of a form", faulty)


def test_no_command_gives_one_away(planted: Planted, capsys: Any) -> None:
    out = io.StringIO()
    for command, *arguments in (
        ("doctor",),
        ("sync_triton", "--dry-run"),
        ("rotate_credentials",),
        ("rotate_credentials", "--check"),
        ("check_providers",),
        ("import_models", "cloud", "--dry-run"),
        ("check",),
    ):
        with contextlib.suppress(SystemExit):
            call_command(command, *arguments, stdout=out, stderr=out)
    planted.canaries.refuse("the commands", out.getvalue() + str(capsys.readouterr()))


def test_a_key_is_handed_out_in_a_lease_with_the_scope_and_nowhere_else(planted: Planted) -> None:
    planted.caller.post("models/gpt/activate/")
    planted.caller.post("providers/cloud/check/")
    asked = {"model": "gpt"}
    granted = planted.told("a lease without the scope", planted.caller.post("leases/", asked))
    assert "api_key" not in done(granted, 201)["connection"]
    trusted = a_caller("trusted", "use", "secrets")
    lease = done(trusted.post("leases/", asked), 201)
    assert lease["connection"]["api_key"] == KEY
    for path in ("leases/", f"leases/{lease['id']}/"):
        planted.told(path, trusted.get(path))
    planted.told("its renewal", trusted.post(f"leases/{lease['id']}/renew/"))
    planted.told("its page", planted.browser.get(page("usage.lease", "change", lease["id"])))
    planted.told("its end", trusted.post(f"leases/{lease['id']}/release/"))


def test_no_row_tells_a_secret_when_it_is_printed(planted: Planted) -> None:
    rows = [
        *Provider.objects.all(),
        *RegisteredModel.objects.all(),
        *ClientKey.objects.all(),
        *AuditEntry.objects.all(),
    ]
    planted.canaries.refuse("the rows", "\n".join(f"{row!r} {row}" for row in rows))


def test_a_library_that_were_heard_would_be_found_out(planted: Planted, caplog: pytest.LogCaptureFixture) -> None:
    planted.echo.way = "in a redirect"
    with caplog.at_level(logging.DEBUG, "httpcore2"):  # which the installation's settings keep silent
        planted.caller.post("providers/cloud/check/")
    assert "first_key" in planted.canaries.found_in("\n".join(planted.lines))
    planted.lines.clear()
    logging.getLogger("modelmanager").debug("heard")
    planted.caller.post("providers/cloud/check/")
    assert any("heard" in line for line in planted.lines)
    planted.canaries.refuse("the log", "\n".join(planted.lines))


@pytest.mark.parametrize(
    "spelled", [KEY, "sk-canary%2Ffirst%2B0123456789%26abcd", "sk-canary/first+0123456789&amp;abcd"]
)
def test_a_canary_that_is_there_would_be_found(spelled: str) -> None:
    assert Canaries(first_key=KEY).found_in(f"… {spelled} …") == ["first_key"]
