"""Differences of documents, by JSON pointer."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_registry.json_pointers import Diff, diff, pointer, same

keys = st.text(st.sampled_from("ab/~01 é"), max_size=3)
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 1.5, "", "x"])
documents = st.dictionaries(
    keys, st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))
)


def patched(document: Any, found: Diff) -> Any:
    """The document with a difference applied to it, by whoever reads RFC 6901 on their own."""
    result = copy.deepcopy(document)
    for at in sorted(found.removed, key=_depth_and_place, reverse=True):
        holder, last = _walk(result, at)
        del holder[last]
    for at, change in found.changed.items():
        holder, last = _walk(result, at)
        holder[last] = change["to"]
    for at in sorted(found.added, key=_depth_and_place):
        holder, last = _walk(result, at)
        if isinstance(holder, list):
            assert last == len(holder)
            holder.append(found.added[at])
        else:
            holder[last] = found.added[at]
    return result


def _depth_and_place(at: str) -> tuple[int, int]:
    last = at.rpartition("/")[2]
    return at.count("/"), int(last) if last.isdecimal() and last.isascii() else -1


def _walk(document: Any, at: str) -> tuple[Any, Any]:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in at.split("/")[1:]]
    for part in parts[:-1]:
        document = document[int(part) if isinstance(document, list) else part]
    return document, int(parts[-1]) if isinstance(document, list) else parts[-1]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, Diff()),
        ({"a": 1}, {"a": 1.0}, Diff()),
        ({"a": 1}, {"a": True}, Diff(changed={"/a": {"from": 1, "to": True}})),
        ({}, {"a": {"b": [1]}}, Diff(added={"/a": {"b": [1]}})),
        ({"a": None}, {}, Diff(removed={"/a": None})),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, Diff({}, {"/a/c": 2}, {"/a/b": {"from": 1, "to": 3}})),
        ({"a": [1, 2, 3]}, {"a": [1, 5]}, Diff({}, {"/a/2": 3}, {"/a/1": {"from": 2, "to": 5}})),
        ({"a": []}, {"a": {}}, Diff(changed={"/a": {"from": [], "to": {}}})),
        ({"a/b": 1, "m~n": 1, "": 1}, {}, Diff(removed={"/a~1b": 1, "/m~0n": 1, "/": 1})),
        ({"~1": {"온도": 1}}, {"~1": {"온도": 2}}, Diff(changed={"/~01/온도": {"from": 1, "to": 2}})),
    ],
)
def test_each_kind_of_difference(before: Any, after: Any, expected: Diff):
    assert diff(before, after) == expected


@pytest.mark.slow
@given(documents, documents)
def test_a_difference_leads_from_one_document_to_the_other_and_back(one: Any, other: Any):
    assert same(patched(one, diff(one, other)), other)
    assert same(patched(other, diff(other, one)), one)


@given(documents, documents)
def test_there_is_none_exactly_between_equals(one: Any, other: Any):
    assert bool(diff(one, other)) is not same(one, other)
    assert not diff(one, one)


def test_the_whole_document_is_the_empty_pointer():
    assert (pointer([]), pointer(["", "a/b", 0])) == ("", "//a~1b/0")
