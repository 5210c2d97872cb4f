"""Small pieces of HTML that every page uses: badges, moments, sizes."""

from datetime import datetime
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma, naturaltime
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from modelmanager.lib.clock import now
from models_registry.models import Provider
from models_registry.own_words import retold
from models_registry.vocabulary import ErrorCode, ModelKind, Observed, Status
from monitoring.models import Outcome
from usage.models import ClientKey, CloseReason, Lease
from usage.models import Outcome as CallOutcome

# tone, symbol (Material Symbols)
STATUS_LOOK = {
    Status.REGISTERED: ("neutral", "inventory_2"),
    Status.ACTIVATING: ("warning", "hourglass_top"),
    Status.ACTIVE: ("success", "check_circle"),
    Status.RECOVERED: ("accent", "healing"),
    Status.IN_USE: ("info", "bolt"),
    Status.ERROR: ("danger", "error"),
}
OBSERVED_LOOK = {
    Observed.UNKNOWN: ("neutral", "help"),
    Observed.ABSENT: ("danger", "search_off"),
    Observed.UNLOADED: ("neutral", "inventory_2"),
    Observed.LOADING: ("warning", "hourglass_top"),
    Observed.READY: ("success", "check_circle"),
    Observed.UNLOADING: ("warning", "hourglass_bottom"),
    Observed.FAILED: ("danger", "error"),
}
NOTHING = "–"


def badge(text: Any, tone: str = "neutral", *, icon: str = "", title: str = "") -> SafeString:
    """A coloured label; tones: neutral, info, success, warning, danger, accent."""
    symbol = format_html('<span class="material-symbols-outlined" aria-hidden="true">{}</span>', icon) if icon else ""
    return format_html('<span class="mm-badge mm-{}" title="{}">{}{}</span>', tone, title, symbol, text)


def status_badge(status: int) -> SafeString:
    """A model's status."""
    tone, icon = STATUS_LOOK[Status(status)]
    return badge(Status(status).label, tone, icon=icon)


OUTCOME_TONES = {
    Outcome.RUNNING: "warning",
    Outcome.SUCCEEDED: "success",
    Outcome.CANCELLED: "neutral",
    Outcome.FAILED: "danger",
    Outcome.TIMED_OUT: "danger",
    Outcome.LOST: "danger",
}


def outcome_badge(outcome: str) -> SafeString:
    """How an operation ended."""
    return badge(Outcome(outcome).label, OUTCOME_TONES[Outcome(outcome)])


CALL_TONES = {
    CallOutcome.OK: "success",
    CallOutcome.ERROR: "danger",
    CallOutcome.TIMEOUT: "danger",
    CallOutcome.CANCELLED: "neutral",
}


def call_badge(outcome: str, error_code: str = "") -> SafeString:
    """How a call ended, as its client saw it and with the code it gave."""
    return badge(error_code or CallOutcome(outcome).label, CALL_TONES[CallOutcome(outcome)], title=outcome)


REASON_TONES = {CloseReason.RELEASED: "neutral", CloseReason.EXPIRED: "warning", CloseReason.REVOKED: "danger"}


def lease_badge(lease: Lease) -> SafeString:
    """Open, or why it was closed."""
    if lease.closed_at is None:
        if lease.expires_at <= now():
            return badge(_("Running out"), "warning", icon="timer_off")
        return badge(pgettext("lease", "Open"), "info", icon="bolt")
    return badge(lease.get_close_reason_display(), REASON_TONES[CloseReason(lease.close_reason)])


HEALTH = {
    "ok": ("success", gettext_lazy("Answers")),
    "failing": ("danger", gettext_lazy("Does not answer")),
    "unknown": ("neutral", gettext_lazy("Not asked yet")),
}
FAILS_CHECKS = gettext_lazy("Fails its checks")  # an API provider: it may well answer, and refuse


def health_badge(provider: Provider) -> SafeString:
    """How a provider was when last asked."""
    if not provider.enabled:
        return badge(_("Disabled"), "neutral")
    if provider.keys_are_unreadable:
        return badge(_("Enter the key again"), "danger", icon="key_off", title=retold(provider.health_told))
    tone, text = HEALTH[provider.health_state]
    if provider.health_state == "failing" and not provider.is_triton:
        text = FAILS_CHECKS
    return badge(text, tone, title=retold(provider.health_told))


def observed_badge(state: str) -> SafeString:
    """What a provider says of a model; anything that is no such word stays as it is."""
    if state not in Observed.values:
        return badge(state)
    tone, icon = OBSERVED_LOOK[Observed(state)]
    return badge(Observed(state).label, tone, icon=icon)


def key_badge(key: ClientKey) -> SafeString:
    """Whether it works."""
    if key.revoked_at is not None:
        return badge(pgettext("key", "Revoked"), "danger", icon="block")
    if key.expires_at is not None and key.expires_at <= now():
        return badge(_("Expired"), "warning", icon="timer_off")
    return badge(_("Valid"), "success", icon="check_circle")


def error_word(code: str) -> str:
    """An error code in words."""
    return str(ErrorCode(code).label) if code in ErrorCode.values else code


def model_kind(kind: str) -> str:
    """A kind of model in words."""
    return str(ModelKind(kind).label) if kind in ModelKind.values else kind


def row_link(row: Any, text: Any = "") -> SafeString:
    """A link to the page of a row; one that is deleted is marked."""
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    link = format_html('<a class="mm-link" href="{}">{}</a>', url, text or row)
    if getattr(row, "deleted_at", None) is None:
        return link
    return format_html("{} {}", link, badge(_("Deleted"), icon="delete"))


def moment(at: datetime | None) -> SafeString | str:
    """How long ago or from now, with the exact time on hovering."""
    if at is None:
        return NOTHING
    local = timezone.localtime(at)
    exact = date_format(local, "Y-m-d H:i:s")
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, naturaltime(at))


def clock_time(at: datetime | None) -> SafeString | str:
    """The exact time, in the installation's time zone."""
    if at is None:
        return NOTHING
    local = timezone.localtime(at)
    text = date_format(local, "Y-m-d H:i:s")
    return format_html('<time class="mm-nowrap" datetime="{}">{}</time>', local.isoformat(), text)


def megabytes(size: int | None) -> str:
    """A size in MB, or a dash."""
    return NOTHING if size is None else _("%(size)s MB") % {"size": intcomma(size)}


def memory(row: Any) -> str:
    """What a model takes on the GPU: the larger of declared and measured, and the other beside it."""
    declared, measured = row.gpu_memory_mb, row.measured_memory_mb
    if measured is None:
        return megabytes(declared)
    if declared is None:
        return _("%(size)s, measured") % {"size": megabytes(measured)}
    if measured > declared:
        return _("%(size)s, measured; declared %(other)s") % _two(measured, declared)
    return _("%(size)s, measured %(other)s") % _two(declared, measured)


def _two(size: int, other: int) -> dict[str, str]:
    return {"size": megabytes(size), "other": megabytes(other)}
