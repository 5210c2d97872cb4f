"""ETag and If-Match: people's edits, not status changes."""

from typing import Any

import pytest

from tests.api.calls import Caller, done, invalid, refused
from tests.monitoring.world import World

ROWS = {
    "models/embedder/": {"display_name": "x"},
    "providers/gpu/": {"drain_s": 7},
    "windows/night/": {"drain_s": 7},
}
rows = pytest.mark.parametrize(("path", "change"), list(ROWS.items()), ids=str)


@rows
def test_an_edit_moves_the_tag_and_a_stale_one_is_refused(
    everything: World, manager: Caller, path: str, change: dict[str, Any]
) -> None:
    seen = manager.get(path)["ETag"]
    assert seen.startswith('"')
    changed = manager.patch(path, change, headers={"If-Match": seen})
    done(changed)
    assert changed["ETag"] != seen
    assert manager.get(path)["ETag"] == changed["ETag"]

    response = manager.patch(path, dict.fromkeys(change), headers={"If-Match": seen})
    if response.status_code != 400:  # a null that no field takes is told first
        assert refused(response, 409, "edit_conflict")
    field, value = next(iter(change.items()))
    stale = manager.patch(path, {field: value}, headers={"If-Match": seen})
    problem = refused(stale, 409, "edit_conflict")
    assert problem["current"] == done(manager.get(path))
    assert stale["ETag"] == changed["ETag"]


@rows
@pytest.mark.parametrize("tag", ['"0"', '"nonsense"', '"999999999999999999999"', 'W/"x"', '""'])
def test_a_tag_that_is_not_the_row_s_changes_nothing(
    everything: World, manager: Caller, path: str, change: dict[str, Any], tag: str
) -> None:
    before = done(manager.get(path))
    refused(manager.patch(path, change, headers={"If-Match": tag}), 409, "edit_conflict")
    refused(manager.patch(path, {}, headers={"If-Match": tag}), 409, "edit_conflict")
    refused(manager.delete(path, headers={"If-Match": tag}), 409, "edit_conflict")
    assert done(manager.get(path)) == before


@rows
def test_without_if_match_the_last_writer_wins(
    everything: World, manager: Caller, path: str, change: dict[str, Any]
) -> None:
    done(manager.patch(path, change))
    done(manager.patch(path, change))
    done(manager.patch(path, change, headers={"If-Match": "*"}))


@rows
def test_of_several_tags_the_current_one_counts(
    everything: World, manager: Caller, path: str, change: dict[str, Any]
) -> None:
    current = manager.get(path)["ETag"]
    done(manager.patch(path, change, headers={"If-Match": f'"x", W/{current}'}))


@pytest.mark.parametrize("header", ["1", "nonsense", '"1', '"1" "2"'])
def test_what_is_no_tag_at_all_is_invalid(everything: World, manager: Caller, header: str) -> None:
    invalid(manager.patch("models/embedder/", {"priority": 1}, headers={"If-Match": header}), **{"If-Match": "invalid"})


def test_status_changes_move_no_tag(everything: World, manager: Caller) -> None:
    seen = manager.get("models/embedder/")["ETag"]
    assert manager.post("models/embedder/activate/")["ETag"] == seen
    everything.settle()
    assert manager.get("models/embedder/")["ETag"] == seen
    done(manager.patch("models/embedder/", {"switch": {"state": "off"}}, headers={"If-Match": seen}))


def test_a_stale_tag_turns_no_switch(everything: World, manager: Caller) -> None:
    seen = manager.get("models/embedder/")["ETag"]
    done(manager.patch("models/embedder/", {"priority": 3}))
    response = manager.patch("models/embedder/", {"switch": {"state": "on"}}, headers={"If-Match": seen})
    refused(response, 409, "edit_conflict")
    assert done(manager.get("models/embedder/"))["wanted"] is False


def test_what_was_made_carries_its_tag(everything: World, manager: Caller) -> None:
    body = {"name": "second", "provider": "gpu", "remote_name": "second", "verify": False}
    made = manager.post("models/", body)
    assert made["ETag"] == manager.get("models/second/")["ETag"]


def test_a_delete_with_the_current_tag_deletes(everything: World, manager: Caller) -> None:
    seen = manager.get("models/embedder/")["ETag"]
    done(manager.delete("models/embedder/", headers={"If-Match": seen}), 204)
