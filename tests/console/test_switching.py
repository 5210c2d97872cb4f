"""Switching models by buttons and for many at once, and who may."""

from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World

MODELS = "models_registry.registeredmodel"
CHANGING = ("activate", "deactivate", "automatic", "resync", "restore")


def do(world: World, name: str, action: str) -> str:
    return page(MODELS, "do", world.model(name).pk, action)


def told(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def bulk(browser: Client, world: World, action: str, *names: str, **more: str) -> Any:
    chosen = [world.model(name).pk for name in names]
    return browser.post(page(MODELS), {"action": f"bulk_{action}", "_selected_action": chosen, **more})


def test_activating_switches_on_and_says_who(browser: Client, world: World) -> None:
    world.add("bge-m3")
    answer = browser.post(do(world, "bge-m3", "activate"))
    assert answer.headers["Location"] == page(MODELS, "change", world.model("bge-m3").pk)
    assert told(answer) == ["bge-m3 is switched on."]
    assert world.status("bge-m3") == "activating"
    assert world.model("bge-m3").events.get().actor == "user:olivia"
    assert LogEntry.objects.get().change_message == "Switched on."


def test_activating_until_a_time_in_the_installations_zone(browser: Client, world: World) -> None:
    world.add("bge-m3")
    until = timezone.localtime(world.at(3600)).replace(second=0, microsecond=0)
    browser.post(do(world, "bge-m3", "activate"), {"until": until.strftime("%Y-%m-%dT%H:%M")})
    assert world.model("bge-m3").switch_until == until


def test_a_time_that_has_passed_is_refused_in_the_dialog(browser: Client, world: World) -> None:
    world.add("bge-m3")
    answer = browser.post(do(world, "bge-m3", "activate"), {"until": "2020-01-01T00:00"})
    assert "Give a time that is still to come." in text_of(answer)
    assert not world.model("bge-m3").wanted


def test_a_model_that_can_never_fit_is_refused_in_the_dialog(browser: Client, world: World) -> None:
    world.add("bge-m3", gpu_memory_mb=9000)
    type(world.provider).objects.update(gpu_memory_mb=4000)
    answer = browser.post(do(world, "bge-m3", "activate"))
    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors()
    assert not world.model("bge-m3").wanted


def test_deactivating_drains_the_leases_or_revokes_them_at_once(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.make_ready("bge-m3")
    world.use("bge-m3")
    browser.post(do(world, "bge-m3", "deactivate"))
    assert world.model("bge-m3").drain_until == world.at(world.provider.drain_s)
    world.put("bge-m3", switch_state="on", wanted=True, drain_until=None)
    browser.post(do(world, "bge-m3", "deactivate"), {"force": "on"})
    assert world.model("bge-m3").drain_until == world.at(0)
    world.settle()
    assert world.resident() == []


def test_a_model_is_given_back_to_its_policy(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.make_ready("bge-m3")
    browser.post(do(world, "bge-m3", "automatic"))
    assert world.model("bge-m3").switch_state == "auto"


def test_verifying_asks_the_provider_and_changes_nothing(browser: Client, world: World) -> None:
    world.add("bge-m3")
    before = world.model("bge-m3").revision
    assert "bge-m3 is not ready: its provider says “Unloaded”" in told(browser.post(do(world, "bge-m3", "verify")))[0]
    world.fake.load_behind_our_back("bge-m3")
    assert "bge-m3 is ready" in told(browser.post(do(world, "bge-m3", "verify")))[-1]
    assert world.model("bge-m3").revision == before
    world.fake.down = True
    assert "gpu does not answer" in told(browser.post(do(world, "bge-m3", "verify")))[-1]


def test_resyncing_takes_the_next_step_on_the_server(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.put("bge-m3", switch_state="on", wanted=True)
    browser.post(do(world, "bge-m3", "resync"))
    assert world.posts() == [("load", "bge-m3")]


@pytest.mark.parametrize("action", [*CHANGING, "verify"])
def test_no_get_changes_anything(browser: Client, world: World, action: str) -> None:
    world.add("bge-m3")
    world.make_ready("bge-m3")
    if action == "restore":
        world.put("bge-m3", deleted_at=world.at(0))
    before = world.model("bge-m3").revision
    assert browser.get(do(world, "bge-m3", action)).status_code in (200, 405)
    assert world.model("bge-m3").revision == before
    assert world.posts() == []
    assert not LogEntry.objects.exists()


def test_who_may_only_look_sees_everything_and_switches_nothing(world: World) -> None:
    world.add("bge-m3")
    world.make_ready("bge-m3")
    looker = signed_in(staff("lena", "view_registeredmodel", "view_provider"))
    assert "bge-m3" in text_of(looker.get(page(MODELS)))
    shown = looker.get(page(MODELS, "change", world.model("bge-m3").pk))
    assert [button.action.name for button in shown.context["buttons"]] == ["configs", "usage", "verify"]
    for action in ("activate", "deactivate", "automatic", "resync"):
        assert looker.post(do(world, "bge-m3", action)).status_code == 403
    assert looker.post(page(MODELS, "delete", world.model("bge-m3").pk)).status_code == 403
    assert looker.post(page(MODELS, "change", world.model("bge-m3").pk), {"priority": "7"}).status_code == 403
    assert looker.get(page(MODELS, "add")).status_code == 403
    assert looker.get(page(MODELS, "catalog")).status_code == 403
    assert world.model("bge-m3").switch_state == "on"


def test_the_permission_to_switch_is_one_of_its_own(world: World) -> None:
    world.add("bge-m3")
    switcher = signed_in(staff("sam", "view_registeredmodel", "switch_registeredmodel"))
    switcher.post(do(world, "bge-m3", "activate"))
    assert world.model("bge-m3").switch_state == "on"
    assert switcher.post(page(MODELS, "delete", world.model("bge-m3").pk)).status_code == 403
    assert switcher.get(page(MODELS, "add")).status_code == 403


def test_somebody_without_permissions_sees_no_models(world: World) -> None:
    world.add("bge-m3")
    nobody = signed_in(staff("nora"))
    assert nobody.get(page(MODELS)).status_code == 403
    assert nobody.get(page(MODELS, "panel", world.model("bge-m3").pk)).status_code == 403
    assert "bge-m3" not in text_of(nobody.get("/admin/"))


def test_an_action_that_does_not_exist_is_not_found(browser: Client, world: World) -> None:
    world.add("bge-m3")
    assert browser.post(do(world, "bge-m3", "explode")).status_code == 404
    assert browser.post(page(MODELS, "do", 999, "activate")).status_code == 404
    assert browser.get(page(MODELS, "panel", 999)).status_code == 404


def test_many_are_activated_and_each_result_is_told(browser: Client, world: World) -> None:
    type(world.provider).objects.update(gpu_memory_mb=4000)
    world.add("small", gpu_memory_mb=1000)
    world.add("large", gpu_memory_mb=9000)
    world.add("on-already", gpu_memory_mb=1000)
    world.make_ready("on-already")
    answer = bulk(browser, world, "activate", "small", "large", "on-already")
    assert told(answer)[0].startswith("large: ")
    assert told(answer)[1:] == ["on-already: nothing to do.", "small is switched on."]
    assert world.model("small").wanted
    assert not world.model("large").wanted


def test_what_harms_many_asks_first(browser: Client, world: World) -> None:
    for name in ("aa", "bb"):
        world.add(name)
        world.make_ready(name)
    asked = bulk(browser, world, "deactivate", "aa", "bb")
    assert "open ones drain first" in text_of(asked)
    assert world.model("aa").switch_state == "on"
    bulk(browser, world, "deactivate", "aa", "bb", confirmed="1")
    assert (world.model("aa").switch_state, world.model("bb").switch_state) == ("off", "off")


def test_many_are_deleted_where_nothing_blocks_it(browser: Client, world: World) -> None:
    world.add("idle")
    world.add("used")
    world.make_ready("used")
    world.use("used")
    answer = bulk(browser, world, "delete", "idle", "used", confirmed="1")
    assert told(answer)[0] == "idle is deleted."
    assert told(answer)[1].startswith("used: “used” cannot be deleted: it is in use (1 open leases)")
    assert world.model("idle").deleted_at is not None
    assert world.model("used").deleted_at is None
    assert LogEntry.objects.get().action_flag == DELETION


def test_many_are_verified_and_their_servers_resynced(browser: Client, world: World) -> None:
    world.add("aa")
    world.add("bb")
    world.put("aa", switch_state="on", wanted=True)
    assert len(told(bulk(browser, world, "verify", "aa", "bb"))) == 2
    bulk(browser, world, "resync", "aa", "bb")
    assert world.posts() == [("load", "aa")]


def test_who_may_only_look_is_offered_no_harm_for_many(world: World) -> None:
    world.add("bge-m3")
    looker = signed_in(staff("lena", "view_registeredmodel"))
    bulk(looker, world, "activate", "bge-m3")
    bulk(looker, world, "delete", "bge-m3", confirmed="1")
    assert not world.model("bge-m3").wanted
    assert world.model("bge-m3").deleted_at is None


def test_what_people_do_stands_in_the_history(browser: Client, world: World) -> None:
    world.add("bge-m3")
    browser.post(do(world, "bge-m3", "activate"))
    browser.post(do(world, "bge-m3", "deactivate"), {"force": "on"})
    entries = LogEntry.objects.order_by("pk")
    assert [(e.action_flag, e.change_message) for e in entries] == [
        (CHANGE, "Switched on."),
        (CHANGE, "Switched off. Open leases were revoked."),
    ]
    assert "Open leases were revoked." in text_of(browser.get(page(MODELS, "history", world.model("bge-m3").pk)))
