"""Windows: what is refused, what is stored, and what becomes of the models that follow one."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from modelmanager.lib.refusals import EditConflict, Invalid, NameTaken
from models_registry.models import RegisteredModel, Window
from models_registry.refusals import WindowInUse
from models_registry.services import windows
from models_registry.services.registration import register_model, update_model
from tests.monitoring.world import World


def seoul(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Seoul"))


NIGHT = {"weekdays": [0, 1, 2, 3, 4, 5, 6], "start": "17:00", "end": "09:00"}
HOLIDAY = {"from": "2026-12-25T00:00:00+09:00", "to": "2026-12-26T00:00:00+09:00", "open": False}


def make(**fields: Any) -> Window:
    return windows.create_window(
        **{"name": "evening", "timezone": "Asia/Seoul", "rules": [NIGHT], **fields}, actor="user:kim"
    )


def errors_of(**fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        make(**fields)
    assert not Window.all_objects.filter(name="evening").exists()
    return [(error["field"], error["code"]) for error in refused.value.extra["errors"]]


def test_the_night_is_ready_to_be_picked(db: None):
    night = Window.objects.get(name="night")
    assert (night.timezone, night.rules) == ("Asia/Seoul", [NIGHT])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"timezone": "Seoul"}, [("timezone", "invalid_choice")]),
        ({"rules": "17:00-09:00"}, [("rules", "invalid")]),
        ({"rules": [{**NIGHT, "end": "17:00"}]}, [("rules.0.end", "equal")]),
        ({"rules": [NIGHT, {**NIGHT, "start": "25:00"}]}, [("rules.1.start", "invalid")]),
        ({"rules": [{**NIGHT, "start": "24:00"}]}, [("rules.0.start", "invalid")]),
        ({"rules": [{**NIGHT, "start": "9:00"}]}, [("rules.0.start", "invalid")]),
        ({"rules": [{**NIGHT, "weekdays": []}]}, [("rules.0.weekdays", "invalid")]),
        ({"rules": [{**NIGHT, "weekdays": [7, True]}]}, [("rules.0.weekdays", "invalid")]),
        ({"rules": [{**NIGHT, "until": 3}]}, [("rules.0", "invalid")]),
        ({"rules": []}, [("rules", "never_opens")]),
        (
            {"rules": [], "exceptions": [{**HOLIDAY, "open": True, "to": "2026-01-01"}]},
            [("exceptions.0.to", "invalid")],
        ),
        ({"exceptions": [{**HOLIDAY, "from": "Christmas"}]}, [("exceptions.0.from", "invalid")]),
        ({"exceptions": [{**HOLIDAY, "to": "9999-12-31T23:59:59Z"}]}, [("exceptions.0.to", "invalid")]),
        ({"exceptions": [{**HOLIDAY, "from": "0001-01-01T00:00:00Z"}]}, [("exceptions.0.from", "invalid")]),
        ({"exceptions": [{**HOLIDAY, "open": 1}]}, [("exceptions.0.open", "invalid")]),
        ({"exceptions": [{**HOLIDAY, "note": "x" * 201}]}, [("exceptions.0.note", "invalid")]),
        ({"exceptions": {"from": 1}}, [("exceptions", "invalid")]),
        ({"name": "Evening"}, [("name", "invalid_name")]),
        ({"drain_s": 90000}, [("drain_s", "max_value")]),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(world: World, fields: dict[str, Any], expected: list[Any]):
    assert errors_of(**fields) == expected


def test_exceptions_of_the_past_do_not_open_a_window_without_rules(world: World):
    past = {"from": "2020-01-01T00:00Z", "to": "2020-01-02T00:00Z", "open": True}
    assert errors_of(rules=[], exceptions=[past]) == [("rules", "never_opens")]


def test_an_exception_is_kept_in_utc_and_read_in_the_windows_zone_when_it_has_no_offset(world: World):
    made = make(exceptions=[{**HOLIDAY, "from": "2026-12-25T00:00"}])
    assert made.exceptions == [
        {"from": "2026-12-24T15:00:00+00:00", "to": "2026-12-25T15:00:00+00:00", "open": False, "note": ""}
    ]


def test_a_stale_edit_is_refused(world: World):
    made = make()
    windows.update_window(made, {"drain_s": 5}, edition=made.edition, actor="user:kim")
    with pytest.raises(EditConflict):
        windows.update_window(Window.objects.get(pk=made.pk), {"drain_s": 6}, edition=1, actor="user:kim")
    assert Window.objects.get(pk=made.pk).drain_s == 5


def test_a_window_that_models_follow_stays(world: World):
    made = make()
    world.put(world.add("chat"), activation_policy="scheduled", window=made)
    with pytest.raises(WindowInUse) as refused:
        windows.delete_window(made, actor="user:kim")
    assert refused.value.extra["models"] == ["chat"]
    assert Window.objects.filter(pk=made.pk).exists()


def test_a_deleted_window_frees_its_name_and_comes_back_only_onto_a_free_one(world: World):
    first = make()
    windows.delete_window(first, actor="user:kim")
    second = make()
    first.refresh_from_db()
    with pytest.raises(NameTaken):
        windows.restore_window(first, actor="user:kim")
    windows.delete_window(second, actor="user:kim")
    assert windows.restore_window(first, actor="user:kim").deleted_at is None


def test_a_scheduled_model_needs_a_living_window(world: World):
    world.add("one")
    wish = {"name": "chat", "provider": world.provider, "remote_name": "other", "verify": False, "actor": "user:kim"}
    with pytest.raises(Invalid) as refused:
        register_model(**wish, activation_policy="scheduled")
    assert refused.value.extra["errors"][0]["field"] == "window"

    gone = make()
    windows.delete_window(gone, actor="user:kim")
    gone.refresh_from_db()
    with pytest.raises(Invalid):
        register_model(**wish, activation_policy="scheduled", window=gone)
    with pytest.raises(Invalid):
        update_model(world.model("one"), {"window": gone}, actor="user:kim")
    assert RegisteredModel.objects.count() == 1


def test_an_override_keeps_it_open_until_then(world: World):
    made = make()
    assert world.at(0).hour == 9  # 18:00 in Seoul: open until 09:00
    windows.except_until(made, until=world.at(16 * 3600), opens=True, note="month end", actor="user:kim")
    assert made.hours.next_closing(world.at(0)) == world.at(16 * 3600)


def test_two_overrides_at_once_lose_neither(world: World):
    made = make()
    read_before = Window.objects.get(pk=made.pk)
    windows.except_until(made, until=world.at(16 * 3600), opens=True, note="month end", actor="user:kim")
    with pytest.raises(EditConflict):
        windows.except_until(read_before, until=world.at(3600), opens=False, actor="user:kim")
    assert [dated["note"] for dated in Window.objects.get(pk=made.pk).exceptions] == ["month end"]


def test_an_override_drops_the_exceptions_that_are_over_so_that_the_list_never_fills_up(world: World):
    over = {"from": "2026-01-01T00:00:00+09:00", "to": "2026-01-02T00:00:00+09:00", "open": False}
    made = make(exceptions=[over] * (windows.MOST_EXCEPTIONS - 1) + [HOLIDAY])
    windows.except_until(made, until=world.at(16 * 3600), opens=True, note="month end", actor="user:kim")
    kept = Window.objects.get(pk=made.pk)
    assert [dated["note"] for dated in kept.exceptions] == ["", "month end"]
    assert not kept.hours.contains(seoul("2026-12-25T12:00"))


def test_a_name_taken_at_the_same_moment(shared_world: World, monkeypatch: pytest.MonkeyPatch):
    gone = make()
    windows.delete_window(gone, actor="user:kim")
    gone.refresh_from_db()
    make()
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", lambda self: False)
    with pytest.raises(NameTaken):
        windows.restore_window(gone, actor="user:kim")


def test_changing_the_hours_wakes_the_servers_of_those_who_follow(shared_world: World, tasks: list[str]):
    made = make()
    shared_world.put(shared_world.add("chat"), activation_policy="scheduled", window=made)
    tasks.clear()
    windows.update_window(made, {"drain_s": 10}, actor="user:kim")
    assert tasks == ["monitoring.tasks.watch"]
