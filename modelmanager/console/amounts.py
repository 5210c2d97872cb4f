"""Numbers as people read them: calls, tokens, latencies, cost, shares, spans of time."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _

from modelmanager.console.badges import NOTHING
from modelmanager.lib.clock import now
from usage.models import Lease

CENT = Decimal("0.01")
MINUTE, HOUR, DAY = 60, 3600, 86400


def count(number: int | None) -> str:
    """A whole number with its thousands apart."""
    return NOTHING if number is None else str(intcomma(number))


def money(millionths: int) -> Decimal:
    """A cost as it is stored, in the unit of the prices."""
    return Decimal(millionths).scaleb(-6)


def cost(millionths: int) -> str:
    """What something cost, in the unit of the prices: four digits, more where they would tell nothing."""
    amount = money(millionths)
    return f"{amount:,.6f}" if 0 < amount < CENT else f"{amount:,.4f}"


def price(amount: Decimal | None) -> str:
    """A price with two digits at least and six at most; a dash where there is none."""
    if amount is None:
        return NOTHING
    whole, _point, part = f"{amount:,.6f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def latency(milliseconds: float | None) -> str:
    """How long a call took, with three digits that matter."""
    if milliseconds is None:
        return NOTHING
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2f} s"
    return f"{milliseconds:.3g} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"


def share(part: float, whole: float) -> str:
    """A part in percent of the whole; a dash where there is no whole. Nearly all is not all."""
    if not whole:
        return NOTHING
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %" if percent < 100 else "100 %"


def span(seconds: float | None) -> str:
    """A stretch of time by its two largest units."""
    if seconds is None:
        return NOTHING
    if seconds < MINUTE:
        return _("%(seconds)s s") % {"seconds": f"{seconds:.1f}"}
    if seconds < HOUR:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": seconds // MINUTE, "seconds": seconds % MINUTE}
    if seconds < DAY:
        return _("%(hours)d h %(minutes)d min") % {"hours": seconds // HOUR, "minutes": seconds % HOUR // MINUTE}
    return _("%(days)d d %(hours)d h") % {"days": seconds // DAY, "hours": seconds % DAY // HOUR}


def duration(start: datetime | None, end: datetime | None) -> str:
    """How long it is from one moment to another; a dash while one of them is unknown."""
    return NOTHING if start is None or end is None else span((end - start) / timedelta(seconds=1))


def lease_took(lease: Lease) -> str:
    """How long a lease was held; an open one until now."""
    return duration(lease.granted_at, lease.closed_at or now())
