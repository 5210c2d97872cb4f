"""JSON documents compared and addressed by JSON Pointer (RFC 6901). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MISSING = object()


@dataclass
class Diff:
    """What has to be added, removed and changed to make one document of another, by JSON pointer."""

    added: dict[str, Any] = field(default_factory=dict)
    removed: dict[str, Any] = field(default_factory=dict)
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def pointer(parts: Iterable[str | int]) -> str:
    """`["a/b", 0]` as `/a~1b/0`; the whole document is the empty text."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def diff(before: Any, after: Any) -> Diff:
    """The difference of two documents; members of lists are compared place by place.

    What is added or removed with all that is in it, is one entry. `true` is not `1`, but `1.0` is.
    """
    found = Diff()
    _compare(before, after, "", found)
    return found


def _compare(before: Any, after: Any, at: str, found: Diff) -> None:
    if before is MISSING:
        found.added[at] = after
    elif after is MISSING:
        found.removed[at] = before
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in (*before, *(key for key in after if key not in before)):
            _compare(before.get(key, MISSING), after.get(key, MISSING), at + pointer([key]), found)
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            _compare(_at(before, place), _at(after, place), at + pointer([place]), found)
    elif not same(before, after):
        found.changed[at] = {"from": before, "to": after}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, as JSON sees it."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else MISSING
