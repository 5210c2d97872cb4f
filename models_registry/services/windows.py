"""Windows: creating, changing, deleting and restoring; and what their rules must look like."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.db import IntegrityError
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.local_time import can_be_told
from modelmanager.lib.refusals import Invalid, NameTaken
from modelmanager.lib.retry import retrying_transaction
from models_registry.auditing import record
from models_registry.models import RegisteredModel, Window
from models_registry.refusals import WindowInUse
from models_registry.validation import bring_back, edit, insert, refuse_invalid, refuse_stale
from models_registry.vocabulary import AuditAction
from models_registry.waking import wake

EDITABLE = ["timezone", "rules", "exceptions", "drain_s"]
MOST_RULES, MOST_EXCEPTIONS = 50, 200
CLOCK = re.compile(r"^(?:([01]\d|2[0-3]):[0-5]\d|24:00)\Z")

Error = tuple[str, str, str]


def create_window(*, actor: str, **fields: Any) -> Window:
    """Store a window. Raises Invalid: for a rule that cannot be, or a window that never opens."""
    window = Window(**fields)
    _refuse_invalid(window)
    try:
        insert(window, actor=actor)
    except IntegrityError as error:
        raise Invalid.of("name", _("A window of this name was created just now.")) from error
    window.refresh_from_db()
    return window


@retrying_transaction
def update_window(window: Window, changes: dict[str, Any], *, actor: str, edition: int | None = None) -> Window:
    """Change hours, exceptions, time zone or drain time; the models that follow it are looked at at once.

    Raises Invalid or EditConflict.
    """
    changes = {field: value for field, value in changes.items() if field in EDITABLE}
    for field, value in changes.items():
        setattr(window, field, value)
    _refuse_invalid(window)
    edit(window, {field: getattr(window, field) for field in changes}, actor=actor, edition=edition)
    _wake_followers(window)
    return window


def except_until(window: Window, *, until: datetime, opens: bool, actor: str, note: str = "") -> Window:
    """Let the window stay open, or closed, from now until then, whatever its rules say.

    Exceptions that are over are dropped then: they would fill the list up for good.
    Raises Invalid, or EditConflict when the window's exceptions may have changed since it was read.
    """
    at = now()
    dated = {"from": at.isoformat(), "to": until.isoformat(), "open": opens, "note": note}
    standing = [one for one in window.exceptions if datetime.fromisoformat(one["to"]) > at]
    return update_window(window, {"exceptions": [*standing, dated]}, actor=actor, edition=window.edition)


@retrying_transaction
def delete_window(window: Window, *, actor: str, edition: int | None = None) -> None:
    """Soft-delete a window. Raises WindowInUse while living models follow it, or EditConflict."""
    # The window's row first: a model that takes it up meanwhile comes second and finds it deleted.
    deleted = Window.objects.filter(pk=window.pk).update(deleted_at=now())
    refuse_stale(Window.all_objects.get(pk=window.pk), edition=edition)
    names = list(RegisteredModel.objects.filter(window=window).values_list("name", flat=True)[:20])
    if names:
        detail = _("Models follow it: %(names)s. Give them another window first.") % {"names": ", ".join(names)}
        raise WindowInUse(detail, models=names)
    if deleted:
        record(window, AuditAction.DELETED, actor=actor)


@retrying_transaction
def restore_window(window: Window, *, actor: str) -> Window:
    """Bring a deleted window back. Raises NameTaken."""
    if window.deleted_at is None:
        return window
    if Window.objects.filter(name=window.name).exists():
        raise NameTaken(_("Another window is called %(name)s now.") % {"name": window.name})
    bring_back(window, actor=actor, taken=_("Another window took the name just now."))
    return window


def hold(window_id: int) -> bool:
    """Make sure, until the transaction ends, that the window is not deleted; False when it is."""
    return bool(Window.objects.filter(pk=window_id).update(updated_at=now()))


def _wake_followers(window: Window) -> None:
    for provider_id in RegisteredModel.objects.filter(window=window).values_list("provider", flat=True).distinct():
        wake(provider_id)


def _refuse_invalid(window: Window) -> None:
    errors = [*_zone_errors(window.timezone), *_rule_errors(window.rules)]
    if not errors:
        errors += _exception_errors(window.exceptions, ZoneInfo(window.timezone))
    if not errors:
        window.exceptions = [_normal(dated, ZoneInfo(window.timezone)) for dated in window.exceptions]
        window.rules = [{**rule, "weekdays": sorted(set(rule["weekdays"]))} for rule in window.rules]
        errors += _never_opens(window)
    refuse_invalid(window, *errors, exclude=["rules", "exceptions", "timezone"])


def _zone_errors(name: Any) -> Iterator[Error]:
    if name not in available_timezones():
        yield "timezone", "invalid_choice", _("This is not a time zone: give one such as Asia/Seoul.")


def _rule_errors(rules: Any) -> Iterator[Error]:
    if not isinstance(rules, list) or len(rules) > MOST_RULES:
        yield "rules", "invalid", _("Give a list of at most %(n)d rules.") % {"n": MOST_RULES}
        return
    for index, rule in enumerate(rules):
        where = f"rules.{index}"
        if not isinstance(rule, dict) or set(rule) != {"weekdays", "start", "end"}:
            yield where, "invalid", _("A rule has weekdays, start and end, and nothing else.")
            continue
        yield from _weekday_errors(where, rule["weekdays"])
        yield from _clock_errors(where, rule["start"], rule["end"])


def _weekday_errors(where: str, weekdays: Any) -> Iterator[Error]:
    fine = isinstance(weekdays, list) and weekdays and all(type(day) is int and 0 <= day <= 6 for day in weekdays)
    if not fine:
        yield f"{where}.weekdays", "invalid", _("Give at least one weekday, from 0 (Monday) to 6 (Sunday).")


def _clock_errors(where: str, start: Any, end: Any) -> Iterator[Error]:
    for side, clock in (("start", start), ("end", end)):
        if not isinstance(clock, str) or not CLOCK.match(clock) or (side == "start" and clock == "24:00"):
            yield f"{where}.{side}", "invalid", _("Give a time of day such as 17:00.")
            return
    if start == end:
        yield f"{where}.end", "equal", _("Start and end are the same: a whole day is 00:00 to 24:00.")


def _exception_errors(exceptions: Any, zone: ZoneInfo) -> Iterator[Error]:
    if not isinstance(exceptions, list) or len(exceptions) > MOST_EXCEPTIONS:
        yield "exceptions", "invalid", _("Give a list of at most %(n)d exceptions.") % {"n": MOST_EXCEPTIONS}
        return
    for index, dated in enumerate(exceptions):
        where = f"exceptions.{index}"
        if not isinstance(dated, dict) or not {"from", "to", "open"} <= set(dated) <= {"from", "to", "open", "note"}:
            yield where, "invalid", _("An exception has from, to, open and perhaps a note, and nothing else.")
            continue
        if type(dated["open"]) is not bool:
            yield f"{where}.open", "invalid", _("Say true or false.")
        if not isinstance(dated.get("note", ""), str) or len(dated.get("note", "")) > 200:
            yield f"{where}.note", "invalid", _("Give a text of at most 200 characters.")
        yield from _time_errors(where, dated, zone)


def _time_errors(where: str, dated: dict[str, Any], zone: ZoneInfo) -> Iterator[Error]:
    start, end = (_time(dated[side], zone) for side in ("from", "to"))
    for side, time in (("from", start), ("to", end)):
        if time is None:
            yield f"{where}.{side}", "invalid", _("Give a date and time such as 2026-12-25T00:00+09:00.")
    if start is not None and end is not None and start >= end:
        yield f"{where}.to", "invalid", _("The end comes after the start.")


def _time(text: Any, zone: ZoneInfo) -> datetime | None:
    """A moment in UTC that can be reckoned with; a time without an offset is one of the window's zone."""
    try:
        time = datetime.fromisoformat(text)
        moment = (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if can_be_told(moment) else None


def _normal(dated: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    start, end = (_time(dated[side], zone) for side in ("from", "to"))
    assert start is not None and end is not None  # noqa: S101
    return {"from": start.isoformat(), "to": end.isoformat(), "open": dated["open"], "note": dated.get("note", "")}


def _never_opens(window: Window) -> Iterator[Error]:
    at = now()
    if not window.hours.contains(at) and window.hours.next_opening(at) is None:
        yield "rules", "never_opens", _("It would never open: give a rule, or an exception that opens it.")
