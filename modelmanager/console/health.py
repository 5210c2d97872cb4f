"""How the free checks of an API provider went, in words."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from modelmanager.console.badges import moment
from modelmanager.lib.clock import now
from models_registry.models import Provider
from models_registry.own_words import retold
from models_registry.providers.errors import Outcome

OUTCOMES = {
    Outcome.OK: _("answers well"),
    Outcome.UNREACHABLE: _("does not answer"),
    Outcome.TLS_FAILED: _("cannot be trusted (TLS)"),
    Outcome.PROVIDER_DOWN: _("has a fault of its own"),
    Outcome.RATE_LIMITED: _("limits our requests"),
    Outcome.CREDENTIAL_INVALID: _("refuses the key"),
    Outcome.NOT_OFFERED: _("lists nothing at this address"),
    Outcome.REFUSED: _("refuses to answer"),
}


def last_outcome(provider: Provider) -> str:
    """What the last check of an API provider found; empty of one that was never checked, and of a Triton server."""
    if provider.is_triton or not provider.health_code:
        return ""
    return str(OUTCOMES[Outcome(provider.health_code)])


def streak(provider: Provider) -> str:
    """How many checks in a row said the last one's outcome."""
    if failures := provider.consecutive_failures:
        return ngettext("%(n)d failed check", "%(n)d failed checks in a row", failures) % {"n": failures}
    passed = provider.consecutive_successes
    return ngettext("%(n)d passed check", "%(n)d passed checks in a row", passed) % {"n": passed}


def fallen(provider: Provider) -> str:
    """How often it fell since it was steady; empty where that is no more than once."""
    if provider.flaps < 2:
        return ""
    return ngettext("fell %(n)d time lately", "fell %(n)d times lately", provider.flaps) % {"n": provider.flaps}


def checks_told(provider: Provider) -> SafeString | str:
    """The line of its page: what the last checks found, how steadily, why, and when the next is due."""
    outcome = last_outcome(provider)
    if not outcome:
        return ""
    found = gettext("It %(outcome)s: %(checks)s") % {"outcome": outcome, "checks": streak(provider)}
    told = ", ".join(part for part in (found, fallen(provider)) if part)
    tone = "mm-refusal" if provider.consecutive_failures else "mm-muted"
    reason = f" ({retold(provider.health_error)})" if provider.health_error else ""
    line = format_html('<span class="{}">{}{}</span>', tone, told, reason)
    if provider.wake_at is None or not provider.enabled:
        return line
    return format_html("{} <span>{}: {}</span>", line, gettext("Next check"), moment(max(provider.wake_at, now())))
