"""What can go wrong, as types: one for each stable code of the manager that a caller may want to tell apart."""

import re
from collections.abc import Mapping
from typing import Any

TEMPORARY = (429, 502, 503, 504)
_INDEX = re.compile(r"(?:usage[.\[])?\[?(\d+)\]?(?:\.|$)")


class ModelManagerError(Exception):
    """Base of all that this package raises about the manager."""

    retry_after_s: float | None = None
    is_temporary = False


class NoAnswer(ModelManagerError):
    """The manager could not be reached, did not answer in time, or something else answered in its place."""

    is_temporary = True


class LeaseLost(ModelManagerError):
    """The lease ended while it was still wanted: revoked, expired, or not renewed in time. Ask for a new one."""


class Refused(ModelManagerError):
    """The manager said no.

    `code` is stable, `detail` is for people, `retry_after_s` tells when asking again may help, `members` is the
    whole problem document. Codes without a type of their own come as this one.
    """

    code = ""

    def __init__(self, members: Mapping[str, Any], *, status: int, retry_after_s: float | None = None) -> None:
        self.members = dict(members)
        self.code = str(members.get("code") or self.code)
        self.detail = str(members.get("detail") or f"the manager answered {status}")
        self.status = status
        self.retry_after_s = retry_after_s
        self.is_temporary = status in TEMPORARY
        super().__init__(f"{self.code or status}: {self.detail}")

    def __reduce__(self) -> tuple[Any, ...]:  # with keyword arguments, exceptions do not pickle by themselves
        return _again, (type(self), self.members, self.status, self.retry_after_s)


class NotAuthenticated(Refused):
    """The key is unknown, expired or revoked."""

    code = "not_authenticated"


class PermissionDenied(Refused):
    """The key lacks the scope."""

    code = "permission_denied"


class Throttled(Refused):
    """Too many requests."""

    code = "throttled"


class ModelNotFound(Refused):
    """There is no model of that name."""

    code = "model_not_found"


class ProviderUnreachable(Refused):
    """The server of the model does not answer, or is disabled."""

    code = "provider_unreachable"


class TooManyWaiters(Refused):
    """The manager holds as many waiting requests as it may."""

    code = "too_many_waiters"


class ModelInactive(Refused):
    """The model is switched off, or outside its window."""

    code = "model_inactive"

    @property
    def next_opening(self) -> str | None:
        """When its window opens, ISO 8601; None when a person has to switch it on."""
        opening: str | None = self.members.get("next_opening")
        return opening


class ModelError(Refused):
    """The model has an error that waiting does not mend."""

    code = "model_error"

    @property
    def cause(self) -> str:
        """The model's own error code, e.g. `load_failed`."""
        return str(self.members.get("cause") or "")


class ModelActivating(Refused):
    """The model is on its way."""

    code = "model_activating"

    @property
    def queue_position(self) -> int | None:
        position: int | None = self.members.get("queue_position")
        return position

    @property
    def expected_wait_s(self) -> float | None:
        seconds: float | None = self.members.get("expected_wait_s")
        return seconds


class GpuBusy(ModelActivating):
    """The model waits for room on its GPU."""

    code = "gpu_busy"

    @property
    def held_by(self) -> list[str]:
        """Names of the models that hold the GPU."""
        return list(self.members.get("held_by") or [])


class Invalid(Refused):
    """Something that was sent breaks a rule; `errors` tells field, code and detail of each."""

    code = "invalid"

    @property
    def errors(self) -> list[dict[str, str]]:
        return [error for error in self.members.get("errors") or [] if isinstance(error, dict)]

    def by_index(self) -> dict[int, str]:
        """Of a list that was sent: why which items were refused."""
        found: dict[int, str] = {}
        for error in self.errors:
            field = str(error.get("field", ""))
            if index := _INDEX.match(field):
                found.setdefault(int(index[1]), f"{field}: {error.get('detail', '')}")
        return found


_TYPES: tuple[type[Refused], ...] = (
    *(NotAuthenticated, PermissionDenied, Throttled, Invalid),
    *(ModelNotFound, ModelInactive, ModelError, ModelActivating, GpuBusy, ProviderUnreachable, TooManyWaiters),
)
_BY_CODE = {one.code: one for one in _TYPES}


def refusal(members: Any, *, status: int, retry_after: str | None) -> Refused:
    """The exception for an answer that is no success."""
    told = members if isinstance(members, dict) else {}
    kind = _BY_CODE.get(str(told.get("code")), Refused)
    return kind(told, status=status, retry_after_s=_seconds(retry_after, told))


def _seconds(header: str | None, told: Mapping[str, Any]) -> float | None:
    try:
        return max(0.0, float(header if header is not None else told["retry_after_s"]))
    except (KeyError, TypeError, ValueError):  # none, or a date
        return None


def _again(kind: type[Refused], members: dict[str, Any], status: int, retry_after_s: float | None) -> Refused:
    return kind(members, status=status, retry_after_s=retry_after_s)
