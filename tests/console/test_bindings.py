"""Bindings are added and removed, and the counter of their model stays right."""

from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World
from usage.models import Binding, Client
from usage.services.bindings import bind

BINDINGS = "usage.binding"


@pytest.fixture
def bge(world: World) -> int:
    world.add("bge")
    return world.model("bge").pk


def add(browser: Browser, world: World, bge: int, **changed: Any) -> Any:
    values = {"client": world.client.pk, "model": bge, "reference": "search", "note": ""}
    return browser.post(page(BINDINGS, "add"), values | changed)


def test_one_is_added_and_counted(browser: Browser, world: World, bge: int) -> None:
    assert add(browser, world, bge).status_code == 302
    assert Binding.objects.get().reference == "search"
    assert world.model("bge").bindings == 1
    assert LogEntry.objects.get().action_flag == ADDITION


def test_the_same_again_is_the_same_one(browser: Browser, world: World, bge: int) -> None:
    add(browser, world, bge)
    add(browser, world, bge)
    assert world.model("bge").bindings == Binding.objects.count() == 1


def test_the_form_comes_filled_from_the_page_of_a_client(browser: Browser, world: World) -> None:
    answer = browser.get(page(BINDINGS, "add"), {"client": world.client.pk})
    assert str(answer.context["adminform"].form["client"].value()) == str(world.client.pk)


@pytest.mark.parametrize("field", ["client", "model", "reference"])
def test_something_missing_is_told_on_its_field(browser: Browser, world: World, bge: int, field: str) -> None:
    answer = add(browser, world, bge, **{field: ""})
    assert field in answer.context["adminform"].form.errors
    assert world.model("bge").bindings == 0


def test_the_deleted_cannot_be_chosen(browser: Browser, world: World, bge: int) -> None:
    world.put("bge", deleted_at=world.at(0))
    assert "model" in add(browser, world, bge).context["adminform"].form.errors
    Client.objects.update(deleted_at=world.at(0))
    assert "client" in add(browser, world, bge).context["adminform"].form.errors


def test_the_deleted_are_not_offered(browser: Browser, world: World, bge: int) -> None:
    asked = {"app_label": "usage", "model_name": "binding", "field_name": "model", "term": "bg"}
    offered = [row["text"] for row in browser.get("/admin/autocomplete/", asked).json()["results"]]
    assert offered == ["bge"]
    world.put("bge", deleted_at=world.at(0))
    assert browser.get("/admin/autocomplete/", asked).json()["results"] == []


def test_one_is_removed_and_counted_down(browser: Browser, world: World, bge: int) -> None:
    binding, _new = bind("bge", client_id=world.client.pk, reference="search")
    address = page(BINDINGS, "delete", binding.pk)
    assert browser.get(address).status_code == 200
    assert world.model("bge").bindings == 1
    assert browser.post(address, {"post": "yes"}).status_code == 302
    assert world.model("bge").bindings == Binding.objects.count() == 0
    assert LogEntry.objects.get().action_flag == DELETION


def test_many_are_removed_after_one_question(browser: Browser, world: World, bge: int) -> None:
    for reference in ("search", "chat"):
        bind("bge", client_id=world.client.pk, reference=reference)
    chosen = {"action": "bulk_remove", "_selected_action": list(Binding.objects.values_list("pk", flat=True))}
    browser.post(page(BINDINGS), chosen)
    assert world.model("bge").bindings == 2
    browser.post(page(BINDINGS), chosen | {"confirmed": "1"})
    assert world.model("bge").bindings == Binding.objects.count() == 0
    assert LogEntry.objects.filter(action_flag=DELETION).count() == 2


def test_one_that_is_there_is_not_changed(browser: Browser, world: World, bge: int) -> None:
    binding, _new = bind("bge", client_id=world.client.pk, reference="search")
    assert "search" in text_of(browser.get(page(BINDINGS, "change", binding.pk)))
    assert browser.post(page(BINDINGS, "change", binding.pk), {"reference": "x"}).status_code == 403


def test_adding_and_removing_need_their_permissions(world: World, bge: int) -> None:
    binding, _new = bind("bge", client_id=world.client.pk, reference="search")
    viewer = signed_in(staff("vera", "view_binding"))
    assert add(viewer, world, bge).status_code == 403
    assert viewer.post(page(BINDINGS, "delete", binding.pk), {"post": "yes"}).status_code == 403
    assert "bulk_remove" not in viewer.get(page(BINDINGS)).content.decode()


def test_the_list_takes_the_same_queries_for_one_and_for_many(
    browser: Browser, world: World, bge: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(15):
        bind("bge", client_id=world.client.pk, reference=f"use-{number}")
    with django_assert_max_num_queries(5):
        assert "use-14" in text_of(browser.get(page(BINDINGS)))
