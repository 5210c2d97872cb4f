"""Clients and their keys."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid, NameTaken
from modelmanager.lib.retry import retrying_transaction
from models_registry.auditing import record
from models_registry.validation import bring_back, edit, insert, refuse_invalid
from models_registry.vocabulary import AuditAction
from usage.models import Client, ClientKey, Scope

KEY_PREFIX = "mm_"
# More than most people may do who may issue keys: with such a key they would give it to themselves.
POWERFUL = (Scope.MANAGE, Scope.SECRETS)


def digest_of(key: str) -> str:
    """SHA-256 of a key, hex. Keys carry 256 random bits, so a plain hash keeps them safe."""
    return hashlib.sha256(key.encode()).hexdigest()


def create_client(name: str, *, actor: str, description: str = "") -> Client:
    """Register a downstream system. Raises Invalid."""
    client = Client(name=name, description=description)
    refuse_invalid(client)
    try:
        insert(client, actor=actor)
    except IntegrityError as error:
        raise Invalid.of("name", _("A client of this name was registered just now."), code="unique") from error
    client.refresh_from_db()
    return client


@retrying_transaction
def issue_key(
    client: Client, *, scopes: Iterable[str], actor: str, expires_at: datetime | None = None, powerful: bool = True
) -> tuple[str, ClientKey]:
    """Give the client one more key: `(key, its row)`. The key itself is stored nowhere: show it once.

    Raises Invalid for unknown or no scopes, without `powerful` for those that only a superuser may give,
    for a time that has passed and for a deleted client.
    """
    wished = list(dict.fromkeys(scopes))
    _refuse_scopes(wished, powerful=powerful)
    if expires_at is not None and expires_at <= now():
        raise Invalid.of("expires_at", _("Give a time that is still to come."))
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    hint = f"{key[:7]}…{key[-4:]}"
    row = ClientKey.objects.create(
        client=client, digest=digest_of(key), hint=hint, scopes=wished, expires_at=expires_at
    )
    # Looked at last: the insert holds its client, so a deletion that comes second sees the key.
    if not Client.objects.filter(pk=client.pk).exists():
        raise Invalid.of("client", _("This client is deleted."))
    given = {"key": hint, "scopes": wished, "expires_at": expires_at}
    told = {name: {"from": None, "to": value} for name, value in given.items() if value is not None}
    record(client, AuditAction.KEY_ISSUED, actor=actor, changes=told)
    return key, row


def _refuse_scopes(wished: list[str], *, powerful: bool) -> None:
    if not wished or any(scope not in Scope.values for scope in wished):
        detail = _("Choose from %(scopes)s.") % {"scopes": ", ".join(Scope.values)}
        raise Invalid.of("scopes", detail, code="invalid_choice")
    too_much = [scope for scope in wished if scope in POWERFUL]
    if too_much and not powerful:
        detail = _("Only a superuser may give these: %(scopes)s.") % {"scopes": ", ".join(too_much)}
        raise Invalid.of("scopes", detail, code="permission_denied")


@retrying_transaction
def revoke_key(key: ClientKey, *, actor: str) -> None:
    """Make a key useless, within the 5 seconds for which processes remember it."""
    if ClientKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now()):
        record(key.client, AuditAction.KEY_REVOKED, actor=actor, changes={"key": {"from": key.hint, "to": None}})
    key.refresh_from_db()


@retrying_transaction
def update_client(client: Client, changes: dict[str, Any], *, actor: str, edition: int | None = None) -> Client:
    """Change the description. Raises Invalid or EditConflict."""
    changes = {field: value for field, value in changes.items() if field == "description"}
    for field, value in changes.items():
        setattr(client, field, value)
    refuse_invalid(client)
    edit(client, changes, actor=actor, edition=edition)
    return client


def delete_client(client: Client, *, actor: str) -> None:
    """Soft-delete a client and revoke its keys; its bindings go with it, its open leases run out."""
    while not _delete_with_bindings(client, actor):
        pass


@retrying_transaction
def _delete_with_bindings(client: Client, actor: str) -> bool:
    """False, and nothing is done, when a binding was made before the client's row could be held.

    Order of rows: models by their ids, bindings, then the client, which nobody else writes.
    """
    from usage.services.bindings import unbind

    at = now()
    for binding in client.bindings.order_by("model_id", "pk"):
        unbind(binding)
    deleted = Client.objects.filter(pk=client.pk).update(deleted_at=at)
    if client.bindings.exists():
        transaction.set_rollback(True)
        return False
    ClientKey.objects.filter(client=client, revoked_at__isnull=True).update(revoked_at=at)
    if deleted:
        record(client, AuditAction.DELETED, actor=actor)
    return True


@retrying_transaction
def restore_client(client: Client, *, actor: str) -> Client:
    """Bring a deleted client back; its keys stay revoked. Raises NameTaken."""
    if client.deleted_at is None:
        return client
    if Client.objects.filter(name=client.name).exists():
        raise NameTaken(_("Another client is called %(name)s now.") % {"name": client.name})
    bring_back(client, actor=actor, taken=_("Another client took the name just now."))
    return client
