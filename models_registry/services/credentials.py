"""Showing a provider's key to a person, and exchanging its two keys."""

from typing import Any

from django.utils.translation import gettext as _

from modelmanager.lib.encrypted_field import Unreadable
from modelmanager.lib.refusals import Invalid
from modelmanager.lib.retry import retrying_transaction
from models_registry.auditing import REASON_LIMIT, record
from models_registry.models import Provider
from models_registry.refusals import KeyUnreadable, NoSecondKey
from models_registry.services.provider_keys import KEYS
from models_registry.validation import edit, edit_conflict, refuse_stale
from models_registry.vocabulary import AuditAction
from models_registry.waking import wake

SHORTEST_REASON = 5
KEY_IN_USE_AFTER = {0: 0, 1: 2, 2: 1}


@retrying_transaction
def reveal_key(provider: Provider, field: str, *, actor: str, reason: str) -> str:
    """The key in `field`, for a person with a reason; who was shown which key, and why, is in the audit trail.

    Raises Invalid for a reason that tells nothing or a key that is not there, KeyUnreadable.
    """
    reason = " ".join(reason.split())
    if not SHORTEST_REASON <= len(reason) <= REASON_LIMIT:
        detail = _("Say in %(least)d to %(most)d characters why you need to see it.")
        raise Invalid.of("reason", detail % {"least": SHORTEST_REASON, "most": REASON_LIMIT}, code="required")
    key = getattr(Provider.all_objects.get(pk=provider.pk), field) if field in KEYS else ""
    _refuse_unreadable(key)
    if not key:
        raise Invalid.of("key", _("There is no such key."), code="does_not_exist")
    record(provider, AuditAction.KEY_REVEALED, actor=actor, changes={field: {"secret": "shown"}}, reason=reason)
    return str(key)


@retrying_transaction
def promote_key(provider: Provider, *, actor: str, edition: int | None = None) -> Provider:
    """Make the second key the first and the first the second: from now on the new one is tried first.

    Raises NoSecondKey, KeyUnreadable or EditConflict.
    """
    row = Provider.objects.select_for_update().order_by().filter(pk=provider.pk).first()
    if row is None:
        raise edit_conflict(provider)
    refuse_stale(row, edition=edition)
    _refuse_unreadable(row.api_key_2)
    if not row.api_key_2:
        raise NoSecondKey(_("Enter a second key first, then make it the first."))
    swapped: dict[str, Any] = {"api_key": row.api_key_2, "api_key_2": row.api_key}
    swapped |= {"key_in_use": KEY_IN_USE_AFTER[row.key_in_use], "check_after": None}
    edit(row, swapped, actor=actor, edition=edition, action=AuditAction.KEY_PROMOTED)
    wake(row.pk)
    return row


def _refuse_unreadable(key: str) -> None:
    if isinstance(key, Unreadable):
        raise KeyUnreadable(_("None of this installation's encryption keys opens it: enter the key again."))
