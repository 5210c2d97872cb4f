"""The section `triton`: what it makes of a server's own configuration, and whether the server took it."""

from typing import Any

import pytest

from models_registry.load_settings import differences, load_alike, load_settings, merged

BASE = {
    "name": "m",
    "backend": "python",
    "max_batch_size": 0,
    "version_policy": {"latest": {"num_versions": 1}},
    "instance_group": [{"name": "m_0", "kind": "KIND_CPU", "count": 1}],
    "parameters": {"load_s": {"string_value": "1"}, "size": {"string_value": "5"}},
    "optimization": {"priority": "PRIORITY_DEFAULT", "eager_batching": False},
}

ONE = {"string_value": "1"}


@pytest.mark.parametrize("values", [{}, {"triton": {}}, {"temperature": 1}, {"triton": {"config": {}}}])
def test_most_documents_say_nothing_about_loading(values: dict[str, Any]):
    assert load_settings(values) == {}


def test_a_parameter_may_be_written_as_a_text():
    settings = load_settings({"triton": {"parameters": {"a": "1", "b": {"string_value": "2"}, "c": None}}})
    assert settings == {"parameters": {"a": {"string_value": "1"}, "b": {"string_value": "2"}, "c": None}}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ({"temperature": 1}, {"temperature": 2}, True),
        ({"triton": {}}, {}, True),
        ({"triton": {"parameters": {"a": "1"}}}, {"triton": {"parameters": {"a": {"string_value": "1"}}}}, True),
        ({"triton": {"max_batch_size": 4}}, {"triton": {"max_batch_size": 4}, "seed": 1}, True),
        ({"triton": {"max_batch_size": 4}}, {"triton": {"max_batch_size": 8}}, False),
        ({"triton": {"max_batch_size": 4}}, {}, False),
        ({"triton": {"config": {"x": {"enable": True}}}}, {"triton": {"config": {"x": {"enable": 1}}}}, False),
    ],
)
def test_only_the_section_decides_about_loading(one: Any, other: Any, alike: bool):
    assert load_alike(one, other) is load_alike(other, one) is alike


def test_it_is_merged_over_the_server_s_own():
    values = {
        "triton": {
            "max_batch_size": 8,
            "instance_group": [{"count": 2}],
            "parameters": {"load_s": "3", "size": None},
            "version_policy": {"specific": {"versions": [2]}},
            "dynamic_batching": {"max_queue_delay_microseconds": 100},
            "config": {"optimization": {"priority": "PRIORITY_MAX"}},
        }
    }
    assert merged(BASE, load_settings(values)) == {
        "name": "m",
        "backend": "python",
        "max_batch_size": 8,
        "version_policy": {"specific": {"versions": [2]}},
        "instance_group": [{"count": 2}],
        "parameters": {"load_s": {"string_value": "3"}},
        "optimization": {"priority": "PRIORITY_MAX", "eager_batching": False},
        "dynamic_batching": {"max_queue_delay_microseconds": 100},
    }
    assert BASE["max_batch_size"] == 0 and "size" in BASE["parameters"]


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({}, []),
        ({"max_batch_size": 0, "instance_group": [{"count": 1, "kind": "KIND_AUTO"}]}, []),
        ({"dynamic_batching": None, "model_warmup": [], "optimization": {"eager_batching": False}}, []),
        ({"max_batch_size": 8}, [{"pointer": "/max_batch_size", "wanted": 8, "found": 0}]),
        (
            {"parameters": {"size": None}},
            [{"pointer": "/parameters/size", "wanted": None, "found": {"string_value": "5"}}],
        ),
        ({"instance_group": [{"count": 2}]}, [{"pointer": "/instance_group/0/count", "wanted": 2, "found": 1}]),
        ({"a~/b": {"c": 1}}, [{"pointer": "/a~0~1b", "wanted": {"c": 1}, "found": None}]),
    ],
)
def test_what_the_server_made_otherwise_is_told(patch: dict[str, Any], expected: list[dict[str, Any]]):
    assert differences(BASE, patch) == expected


def test_numbers_of_64_bits_may_come_as_texts():
    assert differences({"delay": "100"}, {"delay": 100}) == []
    assert differences({"delay": "100"}, {"delay": 101})
