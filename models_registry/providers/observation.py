"""What a Triton server says about its models, as frozen values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from models_registry.providers.errors import clean_message


class RemoteState(StrEnum):
    """State of one model on one server, all its versions folded into one."""

    ABSENT = "absent"
    UNLOADED = "unloaded"
    LOADING = "loading"
    READY = "ready"
    UNLOADING = "unloading"
    FAILED = "failed"


RESIDENT_STATES = frozenset({RemoteState.LOADING, RemoteState.READY, RemoteState.UNLOADING})


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """One model as the server's index lists it; `reason` is told for a failed one only."""

    name: str
    state: RemoteState
    reason: str = ""
    versions_ready: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """One answer of a server's index."""

    models: Mapping[str, RemoteModel]

    def of(self, name: str) -> RemoteModel:
        """The model of that name; `absent` when the server does not list it."""
        return self.models.get(name) or RemoteModel(name, RemoteState.ABSENT)

    def resident(self) -> list[str]:
        """Names of the models that occupy memory: loading, ready or unloading; sorted."""
        return sorted(model.name for model in self.models.values() if model.state in RESIDENT_STATES)


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server says about itself; servers other than Triton may report no extensions."""

    name: str
    version: str
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """GPU memory of a server, all its GPUs together."""

    total_mb: int
    used_mb: int


def fold(rows: Any) -> Observation:
    """The rows of a repository index (one per model *version*) as one value per model.

    Accepts what servers of the Open Inference Protocol send beside Triton's own form: missing,
    empty or null `state`, `version` and `reason`, numbers as versions, lower-case states.
    Raises ValueError when it is not an index at all.
    """
    if not isinstance(rows, list):
        raise ValueError("the index is not a list")
    by_name: dict[str, list[_Row]] = {}
    for row in rows:
        parsed = _Row.parse(row)
        by_name.setdefault(parsed.name, []).append(parsed)
    return Observation(MappingProxyType({name: _fold_versions(name, group) for name, group in by_name.items()}))


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    version: str
    state: str
    reason: str

    @classmethod
    def parse(cls, row: Any) -> "_Row":
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name:
            raise ValueError("a row of the index has no name")
        return cls(name, _text(row.get("version")), _text(row.get("state")).upper(), _text(row.get("reason")))

    @property
    def failure(self) -> str:
        is_failure = self.state not in ("READY", "LOADING", "UNLOADING") and self.reason.lower() != "unloaded"
        return self.reason if is_failure else ""


def _fold_versions(name: str, rows: list[_Row]) -> RemoteModel:
    states = {row.state for row in rows}
    failures = [row.failure for row in rows if row.failure]
    ready = _in_order(row.version for row in rows if row.state == "READY" and row.version)
    if "LOADING" in states:
        return RemoteModel(name, RemoteState.LOADING, versions_ready=ready)
    if "UNLOADING" in states:
        return RemoteModel(name, RemoteState.UNLOADING, versions_ready=ready)
    if "READY" in states:
        return RemoteModel(name, RemoteState.READY, versions_ready=ready)
    if failures:
        return RemoteModel(name, RemoteState.FAILED, reason=clean_message(failures[0]))
    return RemoteModel(name, RemoteState.UNLOADED)


def _in_order(versions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(versions, key=lambda version: (int(version) if version.isdecimal() else -1, version)))


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
