"""Every kind of index row leads to its own outcome."""

from typing import Any

import pytest

from models_registry.providers.errors import MESSAGE_LIMIT
from models_registry.providers.observation import RemoteState, fold

READY, LOADING, UNLOADING, UNAVAILABLE = "READY", "LOADING", "UNLOADING", "UNAVAILABLE"


def version(state: str | None = None, reason: str | None = None, number: Any = "1") -> dict[str, Any]:
    return {"name": "m", "version": number, "state": state, "reason": reason}


@pytest.mark.parametrize(
    ("rows", "state", "reason", "versions_ready"),
    [
        pytest.param([], "absent", "", (), id="absent"),
        pytest.param([{"name": "m"}], "unloaded", "", (), id="never loaded: name only"),
        pytest.param([version(UNAVAILABLE)], "unloaded", "", (), id="never loaded, as other servers say it"),
        pytest.param([version(UNAVAILABLE, "")], "unloaded", "", (), id="empty reason"),
        pytest.param([version("", "")], "unloaded", "", (), id="empty state"),
        pytest.param([version(UNAVAILABLE, "unloaded")], "unloaded", "", (), id="unloaded"),
        pytest.param([version(UNAVAILABLE, "Internal: x")], "failed", "Internal: x", (), id="failed"),
        pytest.param([version(LOADING)], "loading", "", (), id="loading"),
        pytest.param([version(READY)], "ready", "", ("1",), id="ready"),
        pytest.param([version(READY, "", 2)], "ready", "", ("2",), id="ready, version as a number"),
        pytest.param([version("ready")], "ready", "", ("1",), id="ready in lower case"),
        pytest.param([{"name": "m", "state": READY}], "ready", "", (), id="ready without a version"),
        pytest.param([version(UNLOADING)], "unloading", "", (), id="unloading"),
        pytest.param([version("SOMETHING_NEW")], "unloaded", "", (), id="a state nobody knows"),
        pytest.param([version(READY), version(LOADING, number="2")], "loading", "", ("1",), id="ready and loading"),
        pytest.param([version(LOADING), version(UNLOADING, number="2")], "loading", "", (), id="loading and unloading"),
        pytest.param([version(READY), version(UNLOADING, number="2")], "unloading", "", ("1",), id="ready, unloading"),
        pytest.param(
            [version(UNAVAILABLE, "unloaded"), version(UNLOADING, number="2")],
            "unloading",
            "",
            (),
            id="unloaded and unloading",
        ),
        pytest.param(
            [version(UNAVAILABLE, "Internal: x"), version(READY, number="2")],
            "ready",
            "",
            ("2",),
            id="failed and ready",
        ),
        pytest.param(
            [version(UNAVAILABLE, "unloaded"), version(UNAVAILABLE, "Internal: x", "2")],
            "failed",
            "Internal: x",
            (),
            id="unloaded and failed",
        ),
        pytest.param(
            [version(READY, number="10"), version(READY, number="9")], "ready", "", ("9", "10"), id="versions in order"
        ),
    ],
)
def test_rows_of_a_model_become_one_state(
    rows: list[dict[str, Any]], state: str, reason: str, versions_ready: tuple[str, ...]
) -> None:
    model = fold([{"name": "other", "version": "1", "state": READY}, *rows]).of("m")
    assert (model.state, model.reason, model.versions_ready) == (RemoteState(state), reason, versions_ready)


def test_a_model_never_loaded_is_not_a_missing_one() -> None:
    seen = fold([{"name": "m"}])
    assert seen.of("m").state == RemoteState.UNLOADED
    assert seen.of("n").state == RemoteState.ABSENT


def test_residents_are_what_occupies_memory() -> None:
    rows = [
        {"name": name, "version": "1", "state": state, "reason": "x"}
        for name, state in [("d", READY), ("a", LOADING), ("b", UNLOADING), ("c", UNAVAILABLE)]
    ]
    assert fold(rows).resident() == ["a", "b", "d"]


@pytest.mark.parametrize("answer", [None, {}, "x", [1], [{}], [{"name": ""}], [{"name": 3}], [None]])
def test_what_is_no_index_is_refused(answer: Any) -> None:
    with pytest.raises(ValueError, match="index"):
        fold(answer)


def test_an_observation_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        fold([])["m"] = None  # type: ignore[index]


def test_reasons_are_one_bounded_line_without_paths_of_the_server() -> None:
    reason = "Internal: RuntimeError: no \x1b[31mfile\x00 /models/secret/1/model.bin"
    reason += "\n\nAt:\n  /models/a/1/model.py(7): initialize\n"
    told = fold([version(UNAVAILABLE, reason + "x" * 2000)]).of("m").reason
    assert told.startswith("Internal: RuntimeError: no [31mfile model.bin")
    assert "/models" not in told
    assert len(told) <= MESSAGE_LIMIT
    assert told.isprintable()
