"""Importing over the API and by `manage.py import_models`."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from models_registry.models import Provider, RegisteredModel
from tests.api.calls import Caller, done, invalid, refused
from tests.api.conftest import chatbot, manager
from tests.api_providers.servers import ApiServer
from tests.monitoring.fixtures import build, clock, tasks, world

__all__ = ["build", "chatbot", "clock", "manager", "tasks", "world"]

pytestmark = pytest.mark.django_db
IMPORT = "providers/api/import/"


@pytest.fixture
def provider(openai: ApiServer, register: Callable[..., Provider]) -> Provider:
    return register(openai)


# -- over the API


def test_it_answers_for_each_model(provider: Provider, manager: Caller) -> None:
    answer = done(manager.post(IMPORT, {"pattern": "chat*", "activation_policy": "on_demand"}), 201)
    line = {"remote_name": "chat-large", "name": "chat-large", "kind": "chat", "outcome": "created", "detail": ""}
    assert answer == {"dry_run": False, "results": [line]}
    assert RegisteredModel.objects.get().activation_policy == "on_demand"


def test_nothing_created_is_no_creation(provider: Provider, manager: Caller) -> None:
    assert [line["outcome"] for line in done(manager.post(IMPORT, {"dry_run": True}))["results"]] == ["created"] * 2
    assert not RegisteredModel.objects.exists()
    done(manager.post(IMPORT, {}), 201)
    assert [line["outcome"] for line in done(manager.post(IMPORT, {}))["results"]] == ["skipped"] * 2


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"dry_run": "yes"}, {"dry_run": "invalid"}),
        ({"kind": "novel"}, {"kind": "invalid_choice"}),
        ({"activation_policy": "scheduled"}, {"activation_policy": "invalid"}),
        ({"prefix": "Sp ace"}, {"prefix": "invalid_name"}),
        ({"remote_names": "chat"}, {"remote_names": "not_a_list"}),
        ({"surprise": 1}, {"surprise": "unknown_field"}),
    ],
    ids=str,
)
def test_a_body_that_breaks_a_rule(
    provider: Provider, manager: Caller, body: dict[str, Any], errors: dict[str, str]
) -> None:
    invalid(manager.post(IMPORT, body), **errors)


def test_who_may_only_use_may_not_import(provider: Provider, chatbot: Caller) -> None:
    refused(chatbot.post(IMPORT, {}), 403, "permission_denied")


def test_a_provider_that_refuses_is_told(provider: Provider, manager: Caller, openai: ApiServer) -> None:
    openai.keys = set()
    assert refused(manager.post(IMPORT, {}), 503, "provider_unreachable")["outcome"] == "credential_invalid"
    refused(manager.post("providers/nothing/import/", {}), 404, "not_found")


# -- the provider itself


def test_every_new_field_is_shown_but_the_keys(manager: Caller, openai: ApiServer) -> None:
    body = {"name": "api-2", **openai.fields(api_key_2="sk-second-0123456789", organization="org-1", timeout_s=7)}
    shown = done(manager.post("providers/", body), 201)
    assert (shown["organization"], shown["timeout_s"], shown["proxy_url"], shown["ca_certificates"]) == (
        *("org-1", 7),
        *("", ""),
    )
    assert (shown["api_key_hint"], shown["api_key_2_hint"]) == ("…cdef", "…6789")
    assert not {"api_key", "api_key_2"} & set(shown)
    assert done(manager.patch("providers/api-2/", shown))["api_key_2_hint"] == "…6789"
    moved = manager.patch("providers/api-2/", {"base_url": "https://8.8.8.8/v1"})
    invalid(moved, api_key="required", api_key_2="required")


def test_the_catalog_and_the_residents_of_an_api(provider: Provider, manager: Caller) -> None:
    results = done(manager.get("providers/api/catalog/"))["results"]
    assert [(line["remote_name"], line["registered_as"]) for line in results] == [
        *(("chat-large", None), ("embed-small", None))
    ]
    assert done(manager.get("providers/api/residents/"))["residents"] == []
    assert done(manager.post("providers/api/check/"))["outcome"] == "ok"
    verified = done(manager.post("providers/api/verify/", {"remote_name": "chat-large"}))
    assert (verified["state"], verified["ready"]) == ("ready", True)


# -- from the command line


def command(*arguments: str) -> tuple[int, str]:
    """Exit code and output."""
    out = StringIO()
    try:
        call_command("import_models", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, str(error)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_command_tells_each_model(provider: Provider) -> None:
    code, told = command("api", "--pattern", "chat*", "--prefix", "our-", "--dry-run")
    assert (code, told.splitlines()) == (
        0,
        ["  created  chat-large  our-chat-large  chat", "1 created, 0 skipped, 0 refused. Nothing was written."],
    )
    assert not RegisteredModel.objects.exists()
    assert command("api", "--name", "embed-small", "--kind", "embedding")[0] == 0
    assert RegisteredModel.objects.get().name == "embed-small"


def test_a_refused_model_is_an_exit_code(provider: Provider) -> None:
    code, told = command("api", "--name", "nothing")
    assert code == 1
    assert "refused  nothing" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["unknown"],
        ["api", "--kind", "novel"],
        ["api", "--policy", "scheduled"],
        ["api", "--prefix", "Upper"],
        ["api", "--gpu-memory-mb", "0"],
    ],
)
def test_bad_arguments_exit_with_2(provider: Provider, arguments: list[str]) -> None:
    code, told = command(*arguments)
    assert code == 2
    assert told


def test_no_answer_exits_with_1(provider: Provider, openai: ApiServer) -> None:
    openai.keys = set()
    code, told = command("api")
    assert code == 1
    assert "refuses to answer" in told
