"""What a configuration document may hold, and how all that is wrong with it is told at once."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from models_registry.config_documents import LARGEST_BYTES, errors_of
from models_registry.config_schemas import schema_of
from models_registry.vocabulary import ModelKind


def told(values: Any, kind: str = "chat", *, on_triton: bool = True) -> dict[str, str]:
    errors = errors_of(values, kind=kind, on_triton=on_triton)
    assert all(error["detail"] for error in errors)
    return {error["field"]: error["code"] for error in errors}


@pytest.mark.parametrize("kind", ModelKind.values)
@pytest.mark.parametrize("on_triton", [True, False])
def test_the_schemas_are_schemas(kind: str, on_triton: bool):
    Draft202012Validator.check_schema(schema_of(kind, on_triton=on_triton))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("chat", {}),
        ("chat", {"temperature": 0.2, "top_p": 1, "max_tokens": 512, "stop": ["\n", "끝"], "system_prompt": "너는 🙂"}),
        ("chat", {"stop": "END", "timeout_s": 0.5, "extra": {"anything": [None, {"goes": 2**62}]}}),
        ("embedding", {"dimensions": 1024, "normalize": True, "batch_size": 32, "max_input_tokens": 8192}),
        ("rerank", {"top_n": 5, "score_threshold": -1.5}),
        ("preprocessing", {"language": "ko", "steps": ["normalize", "split"], "chunk_size": 500, "chunk_overlap": 50}),
        ("other", {"whatever": {"people": ["agree", "on"]}, "triton": {"max_batch_size": 8}}),
        (
            "chat",
            {
                "triton": {
                    "instance_group": [{"count": 2, "kind": "KIND_CPU"}],
                    "dynamic_batching": None,
                    "parameters": {"load_s": "1", "other": {"string_value": ""}, "gone": None},
                    "version_policy": {"specific": {"versions": [1, 3]}},
                    "config": {"optimization": {"priority": "PRIORITY_MAX"}, "response_cache": {"enable": True}},
                }
            },
        ),
    ],
)
def test_documents_that_fit(kind: str, values: Any):
    assert told(values, kind) == {}


def test_all_errors_are_told_at_once_each_where_it_is():
    values = {
        "temperature": "hot",
        "top_p": 0,
        "max_tokens": True,
        "stop": ["", 1],
        "response_format": "poem",
        "timeout_s": 3601,
        "temprature": 1,
        "a/b~c": 1,
        "triton": {
            "max_batch_size": -1,
            "instance_group": [{"count": 1}, {"count": 0, "cuont": 1}],
            "parameters": {"a": 1, "b": {}},
            "version_policy": {},
            "config": {"name": "other"},
            "surprise": {},
        },
    }
    assert told(values) == {
        "/temperature": "invalid_type",
        "/top_p": "min_value",
        "/max_tokens": "invalid_type",
        "/stop/0": "min_length",
        "/stop/1": "invalid_type",
        "/response_format": "invalid_choice",
        "/timeout_s": "max_value",
        "/temprature": "unknown_field",
        "/a~1b~0c": "unknown_field",
        "/triton/max_batch_size": "min_value",
        "/triton/instance_group/1/count": "min_value",
        "/triton/instance_group/1/cuont": "unknown_field",
        "/triton/parameters/a": "invalid_type",
        "/triton/parameters/b/string_value": "required",
        "/triton/version_policy": "min_length",
        "/triton/config/name": "misplaced",
        "/triton/surprise": "unknown_field",
    }


@pytest.mark.parametrize("kind", ModelKind.values)
def test_load_settings_are_for_triton_alone(kind: str):
    assert told({"triton": {}}, kind, on_triton=False) == {"/triton": "not_triton"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([], "not_a_dict"),
        (None, "not_a_dict"),
        ("{}", "not_a_dict"),
        ({"extra": {"a": "x" * LARGEST_BYTES}}, "too_large"),
        ({"extra": {"a": "한" * (LARGEST_BYTES // 3)}}, "too_large"),
        ({"extra": {"a": float("nan")}}, "invalid"),
        ({"extra": {"a": 2**63}}, "invalid"),
        ({"extra": {"a\0": 1}}, "invalid"),
        ({"extra": {"a": "\ud800"}}, "invalid"),
        ({"extra": {"a": object()}}, "invalid"),
    ],
)
def test_what_is_no_document_is_not_looked_into(values: Any, code: str):
    assert told(values) == {"values": code}


def test_nesting_is_bounded() -> None:
    deep: Any = 1
    for _level in range(16):
        deep = {"a": deep}
    assert told({"extra": deep["a"]["a"]}) == {}
    assert told({"extra": deep}) == {"values": "invalid"}


def test_a_hundred_errors_are_enough():
    assert len(errors_of({f"k{n}": n for n in range(1000)}, kind="chat", on_triton=True)) == 100
