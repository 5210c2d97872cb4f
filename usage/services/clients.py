"""Clients and their keys."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid, NameTaken
from modelmanager.lib.retry import retrying_transaction
from models_registry.validation import edit, refuse_invalid
from usage.models import Client, ClientKey, Scope

KEY_PREFIX = "mm_"


def digest_of(key: str) -> str:
    """SHA-256 of a key, hex. Keys carry 256 random bits, so a plain hash keeps them safe."""
    return hashlib.sha256(key.encode()).hexdigest()


def create_client(name: str, *, description: str = "") -> Client:
    """Register a downstream system. Raises Invalid."""
    client = Client(name=name, description=description)
    refuse_invalid(client)
    try:
        retrying_transaction(client.save)()
    except IntegrityError as error:
        raise Invalid.of("name", _("A client of this name was registered just now.")) from error
    client.refresh_from_db()
    return client


def issue_key(client: Client, *, scopes: Iterable[str], expires_at: datetime | None = None) -> tuple[str, ClientKey]:
    """Give the client one more key: `(key, its row)`. The key itself is stored nowhere: show it once.

    Raises Invalid for unknown or no scopes and for a time that has passed.
    """
    wished = list(dict.fromkeys(scopes))
    unknown = [scope for scope in wished if scope not in Scope.values]
    if unknown or not wished:
        detail = _("Choose from %(scopes)s.") % {"scopes": ", ".join(Scope.values)}
        raise Invalid.of("scopes", detail, code="invalid_choice")
    if expires_at is not None and expires_at <= now():
        raise Invalid.of("expires_at", _("Give a time that is still to come."))
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    hint = f"{key[:7]}…{key[-4:]}"
    row = ClientKey.objects.create(
        client=client, digest=digest_of(key), hint=hint, scopes=wished, expires_at=expires_at
    )
    return key, row


def revoke_key(key: ClientKey) -> None:
    """Make a key useless, within the 5 seconds for which processes remember it."""
    ClientKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now())
    key.refresh_from_db()


@retrying_transaction
def update_client(client: Client, changes: dict[str, Any], *, edition: int | None = None) -> Client:
    """Change the description. Raises Invalid or EditConflict."""
    changes = {field: value for field, value in changes.items() if field == "description"}
    for field, value in changes.items():
        setattr(client, field, value)
    refuse_invalid(client)
    edit(client, changes, edition=edition)
    return client


@retrying_transaction
def delete_client(client: Client) -> None:
    """Soft-delete a client and revoke its keys; leases run out, bindings go with it."""
    from usage.services.bindings import unbind

    at = now()
    for binding in client.bindings.select_related("model"):
        unbind(binding)
    ClientKey.objects.filter(client=client, revoked_at__isnull=True).update(revoked_at=at)
    Client.objects.filter(pk=client.pk).update(deleted_at=at)


@retrying_transaction
def restore_client(client: Client) -> Client:
    """Bring a deleted client back; its keys stay revoked. Raises NameTaken."""
    if client.deleted_at is not None:
        if Client.objects.filter(name=client.name).exists():
            raise NameTaken(_("Another client is called %(name)s now.") % {"name": client.name})
        Client.all_objects.filter(pk=client.pk).update(deleted_at=None)
        client.refresh_from_db()
    return client
