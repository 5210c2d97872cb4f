"""The console's badges and buttons in templates: `{% load console %}`."""

from typing import Any

from django import template

from modelmanager.console import amounts, badges, health
from models_registry.own_words import retold
from usage.models import UsageRecord

register = template.Library()

register.simple_tag(badges.badge, name="badge")
register.simple_tag(badges.status_badge, name="status_badge")
register.simple_tag(badges.outcome_badge, name="outcome_badge")
register.simple_tag(badges.health_badge, name="health_badge")
register.simple_tag(health.checks_told, name="checks_told")
register.simple_tag(badges.observed_badge, name="observed_badge")
register.simple_tag(badges.key_badge, name="key_badge")
register.simple_tag(badges.row_link, name="row_link")
register.simple_tag(badges.call_badge, name="call_badge")
register.simple_tag(badges.lease_badge, name="lease_badge")
register.simple_tag(amounts.lease_took, name="lease_took")
register.simple_tag(amounts.share, name="share")
register.filter("error_word", badges.error_word)
register.filter("model_kind", badges.model_kind)
register.filter("moment", badges.moment)
register.filter("retold", retold)
register.filter("clock_time", badges.clock_time)
register.filter("megabytes", badges.megabytes)
register.filter("memory", badges.memory)
register.filter("amount", amounts.count)
register.filter("latency", amounts.latency)
register.filter("cost", amounts.cost)
register.filter("price", amounts.price)


@register.simple_tag(takes_context=True)
def object_buttons(context: dict[str, Any], model_admin: Any, row: Any) -> Any:
    """The actions that this user may take on this row, for `console/buttons.html`."""
    return model_admin.buttons(context["request"], row)


@register.filter
def at(values: dict[Any, Any], key: Any) -> Any:
    """The value at a key."""
    return values.get(key)


@register.simple_tag
def call_latency(record: UsageRecord) -> str:
    """How long a call took."""
    return amounts.latency(record.latency_us / 1000)
