"""Facts as sentences: why a model waits, what its switch says, what an error asks for, what an event was."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from models_registry.judge import GIVE_UP_AFTER
from models_registry.models import RegisteredModel, StatusEvent, Window
from models_registry.own_words import retold
from models_registry.vocabulary import ErrorCode, Observed, Policy, Status

NEXT_STEPS = {
    ErrorCode.MISSING: gettext_lazy("Put it back into the server's repository, or delete it here if it is gone."),
    ErrorCode.NOT_LOADED: gettext_lazy(
        "Somebody unloaded it or the server restarted. It is loaded again by itself; activate it to do so at once."
    ),
    ErrorCode.LOAD_FAILED: gettext_lazy("Mend what the server complains about, then activate it again."),
    ErrorCode.ACTIVATION_TIMEOUT: gettext_lazy(
        "See who holds the GPU and what the server says. Activate it again to begin anew."
    ),
    ErrorCode.PROVIDER_UNREACHABLE: gettext_lazy(
        "See that the server runs and can be reached. It recovers by itself once the server answers."
    ),
    ErrorCode.CREDENTIAL_INVALID: gettext_lazy("Enter the provider's key again."),
    ErrorCode.NOT_OFFERED: gettext_lazy("The provider offers it no more: choose another model of it."),
}

# Of a model of an API provider.
CHECKED_NEXT_STEPS = {
    ErrorCode.PROVIDER_UNREACHABLE: gettext_lazy(
        "See its provider's page for what the checks found. It recovers by itself once they pass again."
    ),
    ErrorCode.ACTIVATION_TIMEOUT: gettext_lazy(
        "See its provider's page: no check has passed. It recovers by itself with the first that does."
    ),
    ErrorCode.CREDENTIAL_INVALID: gettext_lazy(
        "Enter the provider's key again. It recovers by itself with the first check that passes."
    ),
    ErrorCode.NOT_OFFERED: gettext_lazy(
        "Correct its name at the provider, or choose another model. It recovers by itself once it is offered again."
    ),
}

EVENTS = {
    "registered": gettext_lazy("Registered"),
    "deleted": gettext_lazy("Deleted"),
    "restored": gettext_lazy("Restored"),
    "moved": gettext_lazy("Stands for another model of a provider now"),
    "switched_on": gettext_lazy("Switched on"),
    "switched_off": gettext_lazy("Switched off"),
    "switched_auto": gettext_lazy("Given back to its policy"),
    "wanted": gettext_lazy("Wanted"),
    "unwanted": gettext_lazy("Not wanted any more"),
    "loading": gettext_lazy("Loading"),
    "unloading": gettext_lazy("Unloading"),
    "ready": gettext_lazy("Ready"),
    "unloaded": gettext_lazy("Unloaded"),
    "absent": gettext_lazy("Absent"),
    "failed": gettext_lazy("Failed"),
    "evicted": gettext_lazy("Gave way to another model"),
    "recovered": gettext_lazy("Recovered"),
    "cancelled": gettext_lazy("Cancelled"),
    "handing_over": gettext_lazy("Hands over to another model"),
    "drained": gettext_lazy("Its last lease has ended"),
    "unknown": gettext_lazy("Unknown: its provider fails its checks"),
    "kept": gettext_lazy("Stays, nobody waits any more"),
    "config_applied": gettext_lazy("Configuration applied"),
    "config_rolled_back": gettext_lazy("Went back to the configuration before"),
    "config_differs": gettext_lazy("The server has the configuration otherwise"),
    "reloading": gettext_lazy("Unloading, to be loaded anew"),
    "unload_failed": gettext_lazy("Unloading failed"),
    "unload_timed_out": gettext_lazy("Unloading timed out"),
    "unload_lost": gettext_lazy("Unloading was lost"),
}


def event_label(code: str) -> str:
    """What happened, from an event's code; an unknown code is shown as it is."""
    if code in ErrorCode.values:
        return str(ErrorCode(code).label)
    return str(EVENTS.get(code, code))


def event_message(event: StatusEvent) -> str:
    """What an event says beside its code; only our own words are translated, never a provider's."""
    return retold(event.message, event.code)


def next_step(model: RegisteredModel) -> str:
    """What a person may do about the model's error; empty without one."""
    code = ErrorCode(model.error_code)
    steps = NEXT_STEPS if model.on_gpu else {**NEXT_STEPS, **CHECKED_NEXT_STEPS}
    return str(steps.get(code, ""))


def error_text(model: RegisteredModel) -> str:
    """What is wrong, with the provider's own words."""
    label = str(ErrorCode(model.error_code).label)
    return f"{label}: {retold(model.error_message)}" if model.error_message else label


def switch_text(model: RegisteredModel, at: datetime) -> str:
    """What a person said, and until when; else whose word counts."""
    switch = model.switch
    until = short_time(switch.until, at)
    if switch.says_on(at):
        return _("On until %(time)s") % {"time": until} if switch.until else _("On")
    if switch.says_off(at):
        return _("Off until %(time)s") % {"time": until} if switch.until else _("Off")
    policy = _("Automatic (%(policy)s)") % {"policy": Policy(model.activation_policy).label}
    if model.activation_policy == Policy.SCHEDULED and model.window is not None:
        return f"{policy}, {_turn(model.window, at)}"
    return policy


def _turn(window: Window, at: datetime) -> str:
    """When a window opens or closes next."""
    hours = window.hours
    if hours.contains(at):
        closing = hours.next_closing(at)
        return _("on until %(time)s") % {"time": short_time(closing, at)} if closing else _("always on")
    opening = hours.next_opening(at)
    return _("on from %(time)s") % {"time": short_time(opening, at)} if opening else _("never on")


def why_it_waits(model: RegisteredModel, at: datetime) -> str:
    """Why a wanted model is not there yet, in one or two sentences; empty when it does not wait."""
    if model.queued_at is None:
        return ""
    if not model.provider.enabled:
        return _("Its provider is disabled.")
    if not model.on_gpu:
        return _("It waits for a check of its provider.")
    if model.failures >= GIVE_UP_AFTER:
        return _("Given up after %(n)d tries; activate it to try again.") % {"n": model.failures}
    if model.retry_at is not None and model.retry_at > at:
        return _("Tries again at %(time)s.") % {"time": short_time(model.retry_at, at)}
    return " ".join(_waiting(model, model.waiting or {}, at))


def _waiting(model: RegisteredModel, told: dict[str, Any], at: datetime) -> list[str]:
    position = told.get("queue_position")
    expected = _parsed(told.get("expected_ready_at"))
    if position == 0 or model.observed == Observed.LOADING:
        return [_("It is being loaded."), *_expected(expected, at)]
    parts = []
    if held_by := told.get("for"):
        until = _parsed(told.get("until"))
        names = ", ".join(held_by)
        held = _("The GPU is held by %(names)s until %(time)s.") if until else _("The GPU is held by %(names)s.")
        parts.append(held % {"names": names, "time": short_time(until, at)})
    if position:
        parts.append(ngettext("Next in the queue.", "Number %(n)d in the queue.", position) % {"n": position})
    return [*(parts or [_("It waits for its server.")]), *_expected(expected, at)]


def _expected(ready_at: datetime | None, at: datetime) -> list[str]:
    if ready_at is None:
        return []
    return [_("Expected at %(time)s.") % {"time": short_time(ready_at, at)}] if ready_at > at else [_("Expected soon.")]


def situation(model: RegisteredModel, at: datetime) -> str:
    """The one thing to know about a model beside its status: its error, its wait, or its draining."""
    if model.status == Status.ERROR:
        return " · ".join(part for part in (error_text(model), why_it_waits(model, at)) if part)
    if waits := why_it_waits(model, at):
        return waits
    if model.drain_until is not None and model.open_leases:
        return _why_it_drains(model) % {"time": short_time(model.drain_until, at)}
    return ""


def _why_it_drains(model: RegisteredModel) -> str:
    if model.wanted and model.needs_reload:
        return _("Its leases end by %(time)s, then it is loaded anew with its current configuration.")
    if model.on_gpu:
        return _("Its leases end by %(time)s, then it is unloaded.")
    return _("Its leases end by %(time)s.")


def short_time(moment: datetime | None, at: datetime) -> str:
    """A time of today without its date, any other with it."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return date_format(local, "H:i:s" if local.date() == timezone.localtime(at).date() else "Y-m-d H:i")


def _parsed(text: Any) -> datetime | None:
    return parse_datetime(text) if isinstance(text, str) else None
