"""Windows in the console: a picture of the week, hours typed as rows, exceptions, and who follows them."""

from typing import Any

import pytest
from django.test import Client as Browser

from models_registry.models import Window
from models_registry.services import windows
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World

WINDOWS = "models_registry.window"
NIGHT = {"weekdays": [0, 1, 2, 3, 4], "start": "17:00", "end": "09:00"}


@pytest.fixture
def night(world: World) -> Window:
    return windows.create_window(name="evening", timezone="Asia/Seoul", rules=[NIGHT], actor="user:kim")


def typed(rules: list[dict[str, Any]], exceptions: list[dict[str, Any]] = [], **more: Any) -> dict[str, Any]:  # noqa: B006
    """What a browser sends for these rows."""
    sent: dict[str, Any] = {"timezone": "Asia/Seoul", "rules-rows": len(rules), "exceptions-rows": len(exceptions)}
    for number, rule in enumerate(rules):
        sent |= {f"rules-{number}-{day}": "1" for day in rule["weekdays"]}
        sent |= {f"rules-{number}-{side}": rule[side] for side in ("start", "end")}
    for number, dated in enumerate(exceptions):
        sent |= {f"exceptions-{number}-{part}": value for part, value in dated.items()}
    return sent | more


def opened(browser: Browser, window: Window) -> dict[str, Any]:
    """The hidden fields of the form as it was opened."""
    form = browser.get(page(WINDOWS, "change", window.pk)).context["adminform"].form
    return {"edition": form["edition"].value(), "seen": form["seen"].value()}


def test_one_is_created_from_rows_and_empty_rows_are_left_out(browser: Browser, world: World) -> None:
    empty = {"weekdays": [], "start": "", "end": ""}
    sent = typed([{**NIGHT, "weekdays": [0, 6]}, empty], name="weekend")
    assert browser.post(page(WINDOWS, "add"), sent).status_code == 302
    made = Window.objects.get(name="weekend")
    assert made.rules == [{"weekdays": [0, 6], "start": "17:00", "end": "09:00"}]
    assert made.exceptions == []


def test_what_is_wrong_stands_on_its_field_with_the_number_of_its_row(browser: Browser, world: World) -> None:
    answer = browser.post(page(WINDOWS, "add"), typed([NIGHT, {**NIGHT, "end": "17:00"}], name="odd"))
    errors = answer.context["adminform"].form.errors
    assert list(errors) == ["rules"]
    assert errors["rules"][0].startswith("2: ")
    assert 'value="17:00"' in answer.content.decode()  # what was typed is still there
    assert not Window.objects.filter(name="odd").exists()


def test_one_that_never_opens_is_refused(browser: Browser, world: World) -> None:
    answer = browser.post(page(WINDOWS, "add"), typed([], name="never"))
    assert "It would never open" in answer.context["adminform"].form.errors["rules"][0]


def test_exceptions_are_typed_in_the_windows_zone(browser: Browser, night: Window) -> None:
    holiday = {"from": "2026-12-25T00:00", "to": "2026-12-26T00:00", "open": "no", "note": "Christmas"}
    sent = typed([NIGHT], [holiday], **opened(browser, night))
    assert browser.post(page(WINDOWS, "change", night.pk), sent).status_code == 302
    night.refresh_from_db()
    assert night.exceptions == [
        {
            "from": "2026-12-24T15:00:00+00:00",
            "to": "2026-12-25T15:00:00+00:00",
            "open": False,
            "note": "Christmas",
        }
    ]
    assert 'value="2026-12-25T00:00"' in browser.get(page(WINDOWS, "change", night.pk)).content.decode()


def test_saving_an_untouched_form_changes_nothing(browser: Browser, night: Window) -> None:
    windows.except_until(night, until=night.created_at.replace(year=2027), opens=True, actor="user:kim")
    night.refresh_from_db()
    before = (night.edition, night.exceptions)
    local = [
        {"from": row["from"], "to": row["to"], "open": "yes", "note": ""}
        for row in browser.get(page(WINDOWS, "change", night.pk)).context["adminform"].form["exceptions"].value()
    ]
    browser.post(page(WINDOWS, "change", night.pk), typed([NIGHT], local, **opened(browser, night)))
    night.refresh_from_db()
    assert (night.edition, night.exceptions) == before


def test_the_page_shows_the_week_and_who_follows(browser: Browser, world: World, night: Window) -> None:
    world.put(world.add("chat"), activation_policy="scheduled", window=night)
    answer = browser.get(page(WINDOWS, "change", night.pk))
    assert "17:00–24:00" in text_of(answer)
    assert "00:00–09:00" in text_of(answer)
    assert "Followed by chat" in text_of(answer)
    assert len(answer.context["days"]) == 7
    # 2026-11-24 is a Tuesday in Seoul: Saturday has Friday's night only, Sunday nothing.
    assert [len(day.bars) for day in answer.context["days"]] == [2, 2, 2, 2, 1, 0, 1]


def test_the_list_shows_when_each_scheduled_model_is_on(browser: Browser, world: World, night: Window) -> None:
    world.put(world.add("chat"), activation_policy="scheduled", window=night)
    world.add("manual")
    answer = browser.get(page(WINDOWS))
    assert [row.model.name for row in answer.context["weeks"]] == ["chat"]
    assert answer.content.decode().count("mm-week-bar") == 10
    assert "Open closes 2026-11-25 09:00" in text_of(answer)


def test_the_list_takes_the_same_queries_for_one_and_for_many(
    browser: Browser, world: World, night: Window, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        windows.create_window(name=f"w{number}", timezone="UTC", rules=[NIGHT], actor="user:kim")
        world.put(world.add(f"m{number}"), activation_policy="scheduled", window=night)
    with django_assert_max_num_queries(6):
        browser.get(page(WINDOWS))


def test_an_override_is_one_dialog(browser: Browser, night: Window) -> None:
    url = page(WINDOWS, "do", night.pk, "stay-closed")
    assert browser.get(url).status_code == 200
    assert browser.post(url, {"until": "2026-11-25T12:00", "note": "inventory"}).status_code == 302
    night.refresh_from_db()
    assert (night.exceptions[0]["open"], night.exceptions[0]["note"]) == (False, "inventory")
    assert night.exceptions[0]["to"] == "2026-11-25T03:00:00+00:00"  # noon in Seoul


def test_an_override_that_ends_in_the_past_is_refused_in_the_dialog(browser: Browser, night: Window) -> None:
    answer = browser.post(page(WINDOWS, "do", night.pk, "stay-open"), {"until": "2020-01-01T12:00", "note": ""})
    assert "The end comes after the start" in text_of(answer)


def test_one_that_is_followed_is_not_deleted_and_says_by_whom(browser: Browser, world: World, night: Window) -> None:
    world.put(world.add("chat"), activation_policy="scheduled", window=night)
    assert "chat follows it" in text_of(browser.get(page(WINDOWS, "delete", night.pk)))
    browser.post(page(WINDOWS, "delete", night.pk))
    assert Window.objects.filter(pk=night.pk).exists()


def test_one_is_deleted_and_restored(browser: Browser, night: Window) -> None:
    browser.post(page(WINDOWS, "delete", night.pk))
    assert not Window.objects.filter(pk=night.pk).exists()
    browser.post(page(WINDOWS, "do", night.pk, "restore"))
    assert Window.objects.filter(pk=night.pk).exists()


def test_who_may_only_look_sees_the_week_and_changes_nothing(night: Window) -> None:
    looking = signed_in(staff("lee", "view_window"))
    assert "17:00–24:00" in text_of(looking.get(page(WINDOWS, "change", night.pk)))
    assert looking.post(page(WINDOWS, "do", night.pk, "stay-open"), {"until": "2027-01-01T00:00"}).status_code == 403


def test_two_who_edit_at_once_are_told(browser: Browser, night: Window) -> None:
    stale = opened(browser, night)
    windows.update_window(night, {"drain_s": 30}, actor="user:kim")
    answer = browser.post(page(WINDOWS, "change", night.pk), typed([{**NIGHT, "end": "08:00"}], **stale, drain_s=""))
    assert "Somebody else saved this" in text_of(answer)
    night.refresh_from_db()
    assert night.rules == [NIGHT]
