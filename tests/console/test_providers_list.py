"""The list of providers tells how each one is."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from modelmanager.lib.clock import now
from models_registry.models import Provider
from models_registry.vocabulary import Observed
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World

PROVIDERS = "models_registry.provider"


def list_of(browser: Client, **query: str) -> str:
    return text_of(browser.get(page(PROVIDERS), query))


def test_one_that_answers_says_so_and_when(browser: Client, world: World) -> None:
    Provider.objects.update(checked_at=now() - timedelta(minutes=3))
    shown = list_of(browser)
    assert "Answers" in shown
    assert "3 minutes ago" in shown


def test_one_that_fails_says_why(browser: Client, world: World) -> None:
    Provider.objects.update(checked_at=now(), consecutive_failures=2, health_error="connection refused")
    shown = list_of(browser)
    assert "Does not answer" in shown
    assert "connection refused" in shown


def test_one_never_checked_claims_nothing(browser: Client, world: World) -> None:
    assert "Not asked yet" in list_of(browser)


def test_a_disabled_one_claims_no_health(browser: Client, world: World) -> None:
    Provider.objects.update(checked_at=now(), enabled=False)
    shown = list_of(browser)
    assert "Disabled" in shown
    assert "Answers" not in shown


def test_living_models_are_counted_and_loaded_ones_add_up(browser: Client, world: World) -> None:
    for name, observed in (("bge", Observed.READY), ("chat", Observed.LOADING), ("rerank", Observed.UNLOADED)):
        world.add(name, gpu_memory_mb=1000)
        world.put(name, observed=observed)
    world.add("gone", gpu_memory_mb=1000)
    world.put("gone", observed=Observed.READY, deleted_at=now())
    Provider.objects.update(gpu_memory_mb=6144)
    assert "3 2,000 MB / 6,144 MB" in list_of(browser)


def test_it_takes_the_same_queries_for_one_and_for_many(
    browser: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        Provider.objects.create(
            name=f"gpu-{number}", kind="triton", base_url=f"http://t{number}", server_key=f"t{number}:80"
        )
    with django_assert_max_num_queries(6):
        browser.get(page(PROVIDERS))


@pytest.mark.parametrize("query", [{"deleted": "yes"}, {"kind__exact": "triton"}, {"enabled__exact": "1"}, {"q": "gp"}])
def test_it_is_filtered_and_searched(browser: Client, world: World, query: dict[str, str]) -> None:
    answer = browser.get(page(PROVIDERS), query)
    assert answer.status_code == 200
    assert (">gpu<" in answer.content.decode()) == ("deleted" not in query)


def test_who_may_not_see_providers_does_not(world: World) -> None:
    nobody: User = staff("nora")
    assert signed_in(nobody).get(page(PROVIDERS)).status_code == 403
