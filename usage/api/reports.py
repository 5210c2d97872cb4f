"""Usage reports out of JSON: strictly, with the codes of serializers, and in a fraction of the time they need."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from modelmanager.lib.refusals import Invalid
from usage.models import Outcome
from usage.reports import MOST_AT_ONCE, Batch, Fault, Report

LONGEST_MS = 24 * 3600 * 1000
MOST_TOKENS = 100_000_000
LARGEST_ID = 2**63 - 1
MOST_FAULTS = 100
OUTCOMES = frozenset(Outcome.values)
NOTHING: Mapping[str, Any] = {}

Check = Callable[[Any], Any]


class Wrong(Exception):
    """A value that a field does not take."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def read_reports(value: Any, *, prefix: str = "", defaults: Mapping[str, Any] = NOTHING) -> Batch:
    """A list of reports, or a single one; `defaults` stand for what each leaves out. Raises Invalid."""
    if isinstance(value, dict):
        return _batch([value], defaults, single=True)
    if not isinstance(value, list):
        raise Invalid.of(prefix, _("Give one record, or a list of records."))
    if len(value) > MOST_AT_ONCE:
        detail = _("Give at most %(n)d records at once.") % {"n": MOST_AT_ONCE}
        raise Invalid.of(prefix, detail, code="max_length")
    return _batch(value, defaults, prefix=prefix)


def _batch(items: list[Any], defaults: Mapping[str, Any], **place: Any) -> Batch:
    reports, faults = [], []
    for index, item in enumerate(items):
        try:
            reports.append(_report(item, defaults))
        except Wrong:
            faults += [Fault(index, *fault) for fault in _faults(item, defaults)]
            if len(faults) >= MOST_FAULTS:
                break
    batch = Batch(reports, **place)
    batch.refuse(faults)
    return batch


def _report(item: Any, defaults: Mapping[str, Any]) -> Report:
    """Raises Wrong."""
    if not isinstance(item, dict):
        raise Wrong("invalid", "")
    values = dict(defaults)
    for field, value in item.items():
        check = CHECKS.get(field)
        if check is None:
            raise Wrong("unknown_field", "")
        if value is not None or field not in OPTIONAL:
            values[field] = check(value)
    try:
        return Report(latency_us=values.pop("latency_ms"), **values)
    except (KeyError, TypeError):
        raise Wrong("required", "") from None


def _faults(item: Any, defaults: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Everything that is wrong with a report: (field, code, detail)."""
    if not isinstance(item, dict):
        yield "", "invalid", _("A record is a JSON object.")
        return
    for field in item:
        if field not in CHECKS:
            yield field, "unknown_field", _("There is no such field.")
    for field, check in CHECKS.items():
        value = item.get(field)
        if field not in item and field not in OPTIONAL and field not in defaults:
            yield field, "required", _("This field is required.")
        elif field in item and value is None and field not in OPTIONAL:
            yield field, "null", _("This field may not be null.")
        elif value is not None and (wrong := _wrong(check, value)):
            yield field, wrong.code, wrong.detail


def _wrong(check: Check, value: Any) -> Wrong | None:
    try:
        check(value)
    except Wrong as wrong:
        return wrong
    return None


def _text(longest: int, *, may_be_empty: bool = False) -> Check:
    """A JSON string, taken without blanks around it."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Wrong("invalid", _("Not a valid string."))
        value = value.strip()
        if len(value) > longest:
            raise Wrong("max_length", _("Give at most %(n)d characters.") % {"n": longest})
        if not value and not may_be_empty:
            raise Wrong("blank", _("This field may not be blank."))
        return value

    return check


def _whole(largest: int) -> Check:
    """A JSON number without a fraction, 0 or more."""

    def check(value: Any) -> int:
        if type(value) is not int and not (type(value) is float and value.is_integer()):
            raise Wrong("invalid", _("A valid integer is required."))
        _refuse_outside(value, largest)
        return int(value)

    return check


def _microseconds(value: Any) -> int:
    """Milliseconds, with or without a fraction, as whole microseconds."""
    if type(value) is not int and type(value) is not float:
        raise Wrong("invalid", _("A valid number is required."))
    _refuse_outside(value, LONGEST_MS)
    return round(value * 1000)


def _refuse_outside(value: float, largest: int) -> None:
    if not 0 <= value <= largest:
        code = "min_value" if value < 0 else "max_value"
        raise Wrong(code, _("Give a number from 0 to %(largest)d.") % {"largest": largest})


def _time(value: Any) -> datetime:
    """ISO 8601 with an offset."""
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Wrong("invalid", _("Give a time in ISO 8601, such as 2026-11-18T09:30:00+09:00.")) from None
    raise Wrong("no_offset", _("Give the time with its offset, such as Z or +09:00."))


def _outcome(value: Any) -> str:
    if not isinstance(value, str) or value not in OUTCOMES:
        raise Wrong("invalid_choice", _("Choose from %(values)s.") % {"values": ", ".join(Outcome.values)})
    return value


CHECKS: dict[str, Check] = {
    "event_id": _text(64),
    "model": _text(200),
    "occurred_at": _time,
    "latency_ms": _microseconds,
    "outcome": _outcome,
    "input_tokens": _whole(MOST_TOKENS),
    "output_tokens": _whole(MOST_TOKENS),
    "error_code": _text(64, may_be_empty=True),
    "lease": _whole(LARGEST_ID),
    "config": _whole(LARGEST_ID),
}
OPTIONAL = frozenset(("input_tokens", "output_tokens", "error_code", "lease", "config"))
